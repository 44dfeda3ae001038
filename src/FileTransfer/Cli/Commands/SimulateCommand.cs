using System.CommandLine;
using System.Runtime;
using FileTransfer.Bandwidth;
using FileTransfer.Cli.Output;
using FileTransfer.Cli.Simulation;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer simulate</c></summary>
internal static class SimulateCommand
{
    private const string Columns = "   nodes    first   median      p95      all  copies  fairness | alone: all   copies   times";

    private static readonly int[] _nodes = [1, 10, 100, 1_000, 10_000];

    public static Command Create()
    {
        var world = new SimulatedWorld();
        var nodes = Nodes(
            "How many nodes want the content, besides the leader that has it; repeat it for a run with each number (default 1 10 100 1000 10000).",
            least: 1
        );
        var size = Option("--size", "SIZE", "Bytes of the content.", world.Size, ByteSize.TryParse, ByteSize.Form);
        var up = Option("--up", "RATE", "What every node can send.", world.Up, ByteRate.TryParse, ByteRate.Form);
        var down = Option("--down", "RATE", "What every node can receive.", world.Down, ByteRate.TryParse, ByteRate.Form);
        var latency = Duration.Option("--latency", "From one node to another, one way (default 5ms).");
        var loss = Number("--loss", "Fraction of requests that break midway, 0 to 0.9.", 0.9);
        var churn = Number("--churn", "How often each node is killed per hour, 0 to 360; it is back 10 s later.", 360);
        var seed = Seed();
        return new CliCommand("simulate", "Shows how a content spreads from a leader to many nodes, in virtual time")
        {
            Notes =
            [
                "Every simulated node runs the planner and the admission of this program; links, time and faults are simulated.",
                "Times are seconds from the moment the nodes hear of the content. copies: contents that the leader sent. fairness:",
                "Jain's index of the completion times, 1 = all the same. alone: everyone asks the leader, its uplink shared evenly.",
            ],
            Examples =
            [
                "filetransfer simulate",
                "filetransfer simulate --nodes 8 --size 100MB --up 20MB/s --down 1GB/s",
                "filetransfer simulate --nodes 1000 --loss 0.01 --churn 60 --json",
                "filetransfer simulate gossip",
            ],
            Ends = [ExitCode.NotComplete],
        }
            .Taking(nodes, size, up, down, latency, loss, churn, seed, SimulateGossipCommand.Create())
            .Runs(run =>
                RunEach(
                    run,
                    run.Get(nodes) is { Length: > 0 } given ? given : _nodes,
                    Columns,
                    number =>
                        SimulationResult.Run(
                            world with
                            {
                                Nodes = number,
                                Size = run.Get(size),
                                Up = run.Get(up),
                                Down = run.Get(down),
                                Latency = run.Given(latency) ?? world.Latency,
                                Loss = run.Get(loss),
                                Churn = run.Get(churn),
                                Seed = run.Get(seed),
                            },
                            run.CancellationToken
                        ),
                    result => (TextOf(result), LineOf(result), result.Stored == result.World.Nodes)
                )
            );
    }

    /// <summary>Simulates each number of nodes, and shows what came of it when it is there.</summary>
    internal static Task<ExitCode> RunEach<TResult, TLine>(
        Invocation run,
        int[] nodes,
        string columns,
        Func<int, TResult> simulate,
        Func<TResult, (string Text, TLine Line, bool IsComplete)> show
    )
    {
        // Nobody waits for an answer meanwhile, and there may be gigabytes: a collection beside the work would let them grow.
        GCSettings.LatencyMode = GCLatencyMode.Batch;
        var end = ExitCode.Ok;
        var heading = $"{columns}\n";
        foreach (var number in nodes)
        {
            var (text, line, isComplete) = show(simulate(number));
            run.Console.Result(heading + text, line);
            heading = "";
            end = isComplete ? end : ExitCode.NotComplete;
        }

        return Task.FromResult(end);
    }

    private static SimulationLine LineOf(SimulationResult result) =>
        new(
            result.World.Nodes,
            result.Stored,
            result.First.TotalSeconds,
            result.Median.TotalSeconds,
            result.Most.TotalSeconds,
            result.All.TotalSeconds,
            result.LeaderCopies,
            result.Fairness,
            result.TurnedAway,
            result.World.LeaderAlone.TotalSeconds,
            result.World.Nodes,
            result.Events,
            result.World.Seed
        );

    private static string TextOf(SimulationResult result)
    {
        var (all, alone) = (result.All.TotalSeconds, result.World.LeaderAlone.TotalSeconds);
        return $"{result.World.Nodes, 8}{result.First.TotalSeconds, 9:0.00}{result.Median.TotalSeconds, 9:0.00}"
            + $"{result.Most.TotalSeconds, 9:0.00}{all, 9:0.00}{result.LeaderCopies, 8:0.00}{result.Fairness, 10:0.00} | "
            + $"{alone, 10:0.00}{result.World.Nodes, 9}{alone / all, 8:0.0}";
    }

    private delegate bool TryParse<T>(ReadOnlySpan<char> text, out T value);

    private static Option<T> Option<T>(
        string name,
        string helpName,
        string description,
        T defaultValue,
        TryParse<T> tryParse,
        string form
    )
    {
        var option = new Option<T>(name)
        {
            Description = description,
            HelpName = helpName,
            DefaultValueFactory = _ => defaultValue,
            CustomParser = result => tryParse(result.Tokens[0].Value, out var value) ? value : defaultValue,
        };
        CliOption.Check(option, text => tryParse(text, out _), form);
        return option;
    }

    internal static Option<int[]> Nodes(string description, int least)
    {
        var nodes = new Option<int[]>("--nodes")
        {
            Description = description,
            HelpName = "N",
            AllowMultipleArgumentsPerToken = true,
        };
        CliOption.Check(nodes, text => int.TryParse(text, out var n) && n >= least && n <= 100_000, $"{least} to 100000");
        return nodes;
    }

    internal static Option<int> Seed() =>
        new("--seed")
        {
            Description = "The same seed gives the same run.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };

    internal static Option<double> Number(string name, string description, double most)
    {
        var option = new Option<double>(name) { Description = description, HelpName = "NUMBER" };
        CliOption.Check(
            option,
            text => double.TryParse(text, out var number) && number >= 0 && number <= most,
            $"a number from 0 to {most}"
        );
        return option;
    }
}
