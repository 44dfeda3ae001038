using FileTransfer.Cli;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class ScrubCommandTests : IDisposable
{
    private const string Key = "0x8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1";

    private const string Pass = """
        "requested":true,"startedAt":"2030-01-01T10:00:00+00:00","position":"0x12","contents":3,"bytes":1048576,"totalBytes":3145728,
        "damaged":1,"mended":0
        """;

    private const string Running = $$$"""
        {"state":"running","pass":{{{{Pass}}},"endedAt":null},"last":null,"nextAt":null,"damage":[],"found":0}
        """;

    private const string Right = $$$"""
        {"state":"idle","pass":null,"last":{{{{Pass}}},"endedAt":"2030-01-01T10:05:00+00:00"},"nextAt":"2030-01-02T10:00:00+00:00",
        "damage":[],"found":1}
        """;

    private const string Damaged = $$$"""
        {"state":"running","pass":{{{{Pass}}},"endedAt":null},"last":null,"nextAt":null,"found":1,
        "damage":[{"fingerprint":"0xab","reason":"chunk 7 has other bytes than its hash says","kept":"ab","at":"2030-01-01T10:00:01+00:00"}]}
        """;

    private readonly CliHarness _cli = new();
    private readonly Queue<string> _answers = new();
    private readonly List<string> _bodies = [];

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task It_starts_a_pass_and_says_how_far_it_is()
    {
        await using var node = await StartAsync(Running);

        var result = await _cli.RunAsync("scrub", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        node.Requests.ShouldBe(["POST /v1/scrub"]);
        result.Lines.ShouldBe(["Verifying since 2030-01-01 10:00:00Z: 3 contents, 1.0 MiB of 3.0 MiB; 1 damaged."]);
    }

    [Fact]
    public async Task It_waits_until_all_is_proven_and_mended()
    {
        await using var node = await StartAsync(Running, Damaged, Right);

        var result = await _cli.RunAsync("scrub", "--wait", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Lines.ShouldBe([
            "Everything was verified at 2030-01-01 10:05:00Z: 3 contents, 1.0 MiB; 1 damaged, 0 with wrong chunk hashes.",
            "The next pass begins at 2030-01-02 10:00:00Z.",
        ]);
    }

    [Fact]
    public async Task What_is_damaged_and_not_back_is_named_and_ends_it_with_65()
    {
        await using var node = await StartAsync(Damaged);

        var result = await _cli.RunAsync("scrub", "--show", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotProven, result.Error);
        node.Requests.ShouldBe(["GET /v1/scrub"]);
        result.Out.ShouldContain("Damaged and not back: 0xab, chunk 7 has other bytes than its hash says (quarantine/ab).");
    }

    [Theory]
    [InlineData("--bucket", "0x22", """{"bucket":"0x22"}""")]
    [InlineData(Key, "--wait", $$"""{"keys":["{{Key}}"]}""")]
    public async Task It_has_only_what_is_named_proven(string first, string second, string body)
    {
        const string named = """
            {"state":"idle","pass":null,"last":null,"nextAt":null,"damage":[],"found":0,"named":{
            "startedAt":"2030-01-01T10:00:00+00:00","endedAt":"2030-01-01T10:00:01+00:00","files":2,"bytes":1048576,"damaged":0,"mended":0}}
            """;
        await using var node = await StartAsync(named);

        var result = await _cli.RunAsync("scrub", first, second, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        _bodies.ShouldBe([body]);
        result.Lines.ShouldBe([
            "Verified as requested at 2030-01-01 10:00:00Z: 2 files, 1.0 MiB; 0 damaged, 0 with wrong chunk hashes.",
        ]);
        (await _cli.RunAsync("scrub", Key, "--bucket", "0x22", "--url", node.Address)).Code.ShouldBe(ExitCode.Usage);
    }

    /// <summary>A node that gives these answers one after the other, the last one again and again.</summary>
    private async Task<FakeNode> StartAsync(params string[] answers)
    {
        Array.ForEach(answers, _answers.Enqueue);
        var node = await FakeNode.StartAsync();
        node.Before = async context =>
        {
            if (context.Request.Path != "/v1/scrub")
            {
                return false;
            }

            using var reader = new StreamReader(context.Request.Body);
            if (await reader.ReadToEndAsync() is { Length: > 0 } body)
            {
                _bodies.Add(body);
            }

            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(_answers.Count > 1 ? _answers.Dequeue() : _answers.Peek());
            return true;
        };
        return node;
    }
}
