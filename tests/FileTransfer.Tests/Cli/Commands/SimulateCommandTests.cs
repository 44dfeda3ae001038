using System.Text.Json;
using FileTransfer.Cli;
using FileTransfer.Cli.Output;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class SimulateCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task It_shows_a_line_for_each_number_of_nodes_beside_the_leader_alone()
    {
        var result = await _cli.RunAsync("simulate", "--nodes", "1", "8", "--size", "20MB", "--up", "20MB/s");

        result.Code.ShouldBe(ExitCode.Ok);
        var lines = result.Out.Trim('\n').Split('\n');
        lines.Length.ShouldBe(3);
        lines[0].ShouldContain("median");
        lines[2].ShouldContain("8.00");
    }

    [Fact]
    public async Task Json_is_one_object_per_run()
    {
        var result = await _cli.RunAsync("simulate", "--nodes", "3", "--seed", "7", "--json");

        var line = JsonDocument.Parse(result.Out).RootElement;
        line.GetProperty("nodes").GetInt32().ShouldBe(3);
        line.GetProperty("stored").GetInt32().ShouldBe(3);
        line.GetProperty("seed").GetInt32().ShouldBe(7);
        line.GetProperty("leaderCopies").GetDouble().ShouldBeGreaterThan(0.9);
    }

    [Theory]
    [InlineData("--nodes", "0", "1 to 100000")]
    [InlineData("--size", "many", "64KiB")]
    [InlineData("--up", "fast", "10MiB/s")]
    [InlineData("--loss", "1.5", "0.9")]
    [InlineData("--churn", "-1", "360")]
    public async Task A_value_that_makes_no_sense_ends_with_2_and_says_what_to_write(string option, string value, string hint)
    {
        var result = await _cli.RunAsync("simulate", option, value);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain(hint);
    }

    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("64KiB", 65_536)]
    [InlineData("100MB", 100_000_000)]
    [InlineData("1.5GiB", 1_610_612_736)]
    [InlineData("0", 0)]
    [InlineData("2TiB", 0)]
    [InlineData("MiB", 0)]
    [InlineData("-1KiB", 0)]
    public void Sizes_are_read_as_people_write_them(string text, long bytes)
    {
        ByteSize.TryParse(text, out var read).ShouldBe(bytes > 0);
        read.ShouldBe(bytes);
    }
}
