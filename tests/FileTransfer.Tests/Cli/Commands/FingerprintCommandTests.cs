using System.Text.Json.Nodes;
using FileTransfer.Cli;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class FingerprintCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Each_file_gets_a_line_with_its_fingerprint_in_the_order_given()
    {
        var (one, two) = (CliHarness.Bytes(5000), CliHarness.Bytes(1, seed: 2));
        var (a, b) = (_cli.Write("a", one), _cli.Write("b", two));

        var result = await _cli.RunAsync("fingerprint", a, b);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Lines.ShouldBe([$"{ContentFingerprint.Of(one)} {a}", $"{ContentFingerprint.Of(two)} {b}"]);
    }

    [Fact]
    public async Task A_dash_is_standard_input()
    {
        _cli.Input = CliHarness.Bytes(300_000);

        var result = await _cli.RunAsync("fingerprint", "-");

        result.Lines.ShouldBe([$"{ContentFingerprint.Of(_cli.Input)} -"]);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_named_and_the_others_are_still_done()
    {
        var content = CliHarness.Bytes(10);
        var (missing, folder, good) = (_cli.PathOf("missing"), _cli.Folder, _cli.Write("good", content));

        var result = await _cli.RunAsync("fingerprint", missing, folder, good);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Lines.ShouldBe([$"{ContentFingerprint.Of(content)} {good}"]);
        result.Error.ShouldContain($"error: {missing} does not exist.");
        result.Error.ShouldContain($"error: {folder} is a folder.");
    }

    [Theory]
    [InlineData("@no-such-list", new string[0])]
    [InlineData("--no-such-option", new[] { "--" })]
    public async Task A_name_that_looks_like_something_else_is_still_a_file(string name, string[] before)
    {
        var result = await _cli.RunAsync(["fingerprint", .. before, name]);

        result.Error.ShouldBe($"error: {name} does not exist.\n");
    }

    [Fact]
    public async Task Json_has_one_object_per_line_and_errors_as_objects_too()
    {
        var path = _cli.Write("ä b", CliHarness.Bytes(10));

        var result = await _cli.RunAsync("fingerprint", "--json", path, _cli.PathOf("missing"));

        ((string)JsonNode.Parse(result.Lines.Single())!["path"]!).ShouldBe(path);
        ((int)JsonNode.Parse(result.Error)!["exitCode"]!).ShouldBe((int)ExitCode.Failed);
    }
}
