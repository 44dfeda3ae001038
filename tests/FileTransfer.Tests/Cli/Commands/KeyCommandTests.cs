using System.Text.Json.Nodes;
using FileTransfer.Cli;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class KeyCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task The_key_is_the_hash_of_the_metadata()
    {
        var content = CliHarness.Bytes(2000);
        var file = _cli.Write("a", content);

        var result = await _cli.RunAsync(
            "key",
            "--owner",
            CliHarness.Owner,
            "--bucket",
            CliHarness.Bucket,
            "--location",
            "x/y",
            file
        );

        result.Code.ShouldBe(ExitCode.Ok);
        result.Lines.ShouldBe([CliHarness.Metadata("x/y", content).ComputeKey().ToString()]);
    }

    [Fact]
    public async Task A_location_in_hex_is_the_same_as_its_text()
    {
        var file = _cli.Write("a", CliHarness.Bytes(2000));

        var text = await _cli.RunAsync("key", "--location", "ab", file);
        var hex = await _cli.RunAsync("key", "--location-hex", "6162", file);

        hex.Out.ShouldBe(text.Out);
    }

    [Fact]
    public async Task Json_has_all_that_a_registration_needs()
    {
        var content = CliHarness.Bytes(2000);

        var result = await _cli.RunAsync("key", "--json", "--location-hex", "ff", _cli.Write("a", content));

        var line = JsonNode.Parse(result.Lines.Single())!;
        ((string)line["owner"]!).ShouldBe(CliHarness.Owner);
        ((string)line["locationHex"]!).ShouldBe("0xff");
        line["location"].ShouldBeNull();
        ((long)line["size"]!).ShouldBe(2000);
        ((string)line["fingerprint"]!).ShouldBe(ContentFingerprint.Of(content).ToString());
    }

    [Fact]
    public async Task An_empty_file_has_no_key()
    {
        var result = await _cli.RunAsync("key", "--location", "a", _cli.Write("empty", []));

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldContain("size is 0");
    }

    [Theory]
    [InlineData("--location", "a", "--location-hex", "61")]
    [InlineData("--owner", "1", "--location", "a")]
    [InlineData("--owner", "xx", "--location", "a")]
    public async Task A_wrong_command_line_is_refused_with_2(params string[] args)
    {
        var result = await _cli.RunAsync(["key", .. args, _cli.Write("a", [1])]);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldStartWith("error: ");
    }

    [Fact]
    public async Task A_missing_owner_is_asked_for_by_name()
    {
        _cli.Environment.Remove("FILETRANSFER_OWNER");

        var result = await _cli.RunAsync("key", "--location", "a", _cli.Write("a", [1]));

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("--owner");
        result.Error.ShouldContain("FILETRANSFER_OWNER");
    }
}
