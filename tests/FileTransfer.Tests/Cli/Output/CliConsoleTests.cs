using System.Text.Json;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Cli.Output;

/// <summary>A name is anybody's text: it neither steers the terminal, nor begins a line, nor is read as another.</summary>
public sealed class CliConsoleTests : IDisposable
{
    private const string Raw = "red\u001b[31m\u009b1m\a\rover\u202eturned\u2066\u2028\nanother line\tcolumn";
    private const string Shown = @"red\x1b[31m\x9b1m\x07\x0dover\u202eturned\u2066\u2028\x0aanother line\x09column";

    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Theory]
    [InlineData("list")]
    [InlineData("status KEY")]
    [InlineData("export FOLDER")]
    public async Task A_location_is_shown_without_what_a_terminal_obeys_also_as_JSON(string command)
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = FakeNode.ClusterOf(node.Address);
        var key = node.Add(CliHarness.Metadata(Raw, [1]), [1]);
        var args = command.Replace("KEY", $"{key}").Replace("FOLDER", _cli.PathOf("share")).Split(' ');

        var text = await _cli.RunAsync([.. args, "--url", node.Address]);
        var json = await _cli.RunAsync([.. args, "--url", node.Address, "--json"]);

        text.Out.ShouldContain(Shown, Case.Sensitive, text.Error);
        json.Out.Where(PrintedText.IsObeyed).Distinct().ShouldBe(['\n'], json.Error);
        json.Lines.Select(line => JsonDocument.Parse(line).RootElement)
            .ShouldContain(line => line.ToString().Contains("location", StringComparison.Ordinal));
        json.Out.ShouldContain(@"\u202e");
    }
}
