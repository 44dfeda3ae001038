using System.Text.Json;
using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class SimulateGossipCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task It_shows_a_line_for_each_number_of_nodes()
    {
        var result = await _cli.RunAsync("simulate", "gossip", "--nodes", "5", "30");

        result.Code.ShouldBe(ExitCode.Ok);
        var lines = result.Out.Trim('\n').Split('\n');
        lines.Length.ShouldBe(4);
        lines[0].ShouldContain("healed");
        lines[3].ShouldStartWith("      30 |");
    }

    [Fact]
    public async Task A_change_is_known_within_15_rounds_and_quiet_costs_less_than_2_KiB()
    {
        var result = await _cli.RunAsync("simulate", "gossip", "--nodes", "100", "--loss", "0.01", "--json");

        var line = JsonDocument.Parse(result.Out).RootElement;
        line.GetProperty("rounds").GetInt32().ShouldBeInRange(1, 15);
        line.GetProperty("quietBytesPerSecond").GetDouble().ShouldBeLessThan(2048);
        line.GetProperty("killed").GetDouble().ShouldBeLessThan(20);
        line.GetProperty("seenDead").GetInt32().ShouldBe(0);
    }

    [Theory]
    [InlineData("--nodes", "1", "2 to 100000")]
    [InlineData("--loss", "0.6", "0.5")]
    [InlineData("--churn", "2", "0 to 1")]
    public async Task A_value_that_makes_no_sense_ends_with_2_and_says_what_to_write(string option, string value, string hint)
    {
        var result = await _cli.RunAsync("simulate", "gossip", option, value);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain(hint);
    }
}
