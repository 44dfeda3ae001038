using System.Text.Json.Nodes;
using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class VerifyCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Two_nodes_with_the_same_files_stored_are_the_same()
    {
        await using var a = await FakeNode.StartAsync();
        await using var b = await FakeNode.StartAsync();
        for (var i = 0; i < 7; i++)
        {
            a.Add(CliHarness.Metadata($"{i}", [(byte)i]), [(byte)i]);
            b.Add(CliHarness.Metadata($"{i}", [(byte)i]), [(byte)i]);
        }

        var result = await _cli.RunAsync("verify", a.Address, b.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Out.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_one_of_them_lacks_or_has_not_stored_is_a_line_and_ends_with_2()
    {
        await using var a = await FakeNode.StartAsync();
        await using var b = await FakeNode.StartAsync();
        var both = CliHarness.Metadata("both", [1]);
        var onlyA = CliHarness.Metadata("only a", [2]);
        var onlyB = CliHarness.Metadata("only b", [3]);
        var wanted = CliHarness.Metadata("wanted", [4]);
        a.Add(both, [1]);
        b.Add(both, [1]);
        a.Add(onlyA, [2]);
        b.Add(onlyB, [3]);
        a.Add(wanted, [4]);
        b.Add(wanted, [4]);
        b.Files[wanted.ComputeKey()].State = "wanted";
        var other = a.Add(CliHarness.Metadata("other", [5]), [5]);
        b.Files[other] = a.Files[other] with { Metadata = CliHarness.Metadata("another", [5]) };

        var result = await _cli.RunAsync("verify", a.Address, b.Address);
        var json = await _cli.RunAsync("verify", a.Address, b.Address, "--json");

        ((int)result.Code).ShouldBe(2);
        result.Lines.ShouldBe(
            [
                $"MISSING\t{onlyA.ComputeKey()}",
                $"EXTRA\t{onlyB.ComputeKey()}",
                $"NOT_STORED\t{wanted.ComputeKey()}\tB",
                $"OTHER_METADATA\t{other}",
            ],
            ignoreOrder: true
        );
        result.Lines.Select(line => line.Split('\t')[1]).ShouldBeInOrder();
        var states = json.Lines.Select(line => JsonNode.Parse(line)!).Single(line => (string)line["difference"]! == "NOT_STORED");
        ((string)states["stateA"]!).ShouldBe("stored");
        ((string)states["stateB"]!).ShouldBe("wanted");
    }

    [Fact]
    public async Task What_is_no_address_is_refused_by_name()
    {
        var result = await _cli.RunAsync("verify", "http://127.0.0.1:1", "nowhere at all");

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("URL_B is 'nowhere at all'");
    }
}
