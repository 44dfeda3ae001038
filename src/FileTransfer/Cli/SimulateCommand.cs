using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FileTransfer.Downloads.Simulation;
using FileTransfer.Rates;

namespace FileTransfer.Cli;

/// <summary><c>filetransfer simulate</c>: how a content spreads over a cluster, with the real planner and turns, in virtual time.</summary>
public static class SimulateCommand
{
    private static readonly int[] _sizesOfClusters = [1, 10, 100, 1_000, 10_000];

    public static Command Create(CliStreams streams)
    {
        var standard = new SimulatedWorld();
        var nodes = new Option<int[]>("--nodes")
        {
            Description = "How many nodes want the content; several times for several rows (default 1, 10, 100, 1000 and 10000).",
            HelpName = "N",
            AllowMultipleArgumentsPerToken = true,
        };
        var size = new Option<long>("--size")
        {
            Description = "Bytes of the content (default 67108864).",
            HelpName = "BYTES",
            DefaultValueFactory = _ => standard.Size,
        };
        var up = RateOption("--up", "What each node can send (default 50MB/s).", standard.Up);
        var down = RateOption("--down", "What each node can receive (default 50MB/s).", standard.Down);
        var latency = Duration.Option("--latency", "From one node to another (default 5ms).");
        latency.DefaultValueFactory = _ => standard.Latency;
        var loss = new Option<double>("--loss")
        {
            Description = "Part of the requests whose connection breaks in the middle, 0 to 0.9 (default 0).",
            HelpName = "PART",
        };
        var churn = new Option<double>("--churn")
        {
            Description = "How often each node is killed, per hour, 0 to 60 (default 0).",
            HelpName = "PER-HOUR",
        };
        var seed = new Option<int>("--seed")
        {
            Description = "The same seed gives the same run (default 1).",
            HelpName = "NUMBER",
            DefaultValueFactory = _ => standard.Seed,
        };
        RequireRange(nodes, counts => counts.All(n => n is >= 1 and <= 100_000), "Give 1 to 100000 nodes.");
        RequireRange(size, bytes => bytes is >= 1 and <= 1L << 40, "Give a size of 1 byte to 1 TiB.");
        RequireRange(loss, part => part is >= 0 and <= 0.9, "Give a part of 0 to 0.9.");
        RequireRange(churn, perHour => perHour is >= 0 and <= 60, "Give 0 to 60 kills per hour.");
        var command = new CliCommand("simulate", "Shows how a content spreads over clusters of any size, in virtual time")
        {
            Examples =
            [
                "filetransfer simulate",
                "filetransfer simulate --nodes 8 --nodes 64 --size 1073741824 --up 20MB/s --down 100MB/s --loss 0.01 --churn 2",
            ],
        };
        foreach (var option in (Option[])[nodes, size, up, down, latency, loss, churn, seed, OutputOptions.Json()])
        {
            command.Add(option);
        }

        command.SetWork(
            streams,
            (parse, console, cancellationToken) =>
            {
                var world = new SimulatedWorld
                {
                    Size = parse.GetValue(size),
                    Up = parse.GetValue(up),
                    Down = parse.GetValue(down),
                    Latency = parse.GetValue(latency),
                    Loss = parse.GetValue(loss),
                    Churn = parse.GetValue(churn),
                    Seed = parse.GetValue(seed),
                };
                var counts = parse.GetValue(nodes) is { Length: > 0 } given ? given : _sizesOfClusters;
                return Task.FromResult(Run(console, world, counts, cancellationToken));
            }
        );
        return command;
    }

    private static ExitCode Run(CliConsole console, SimulatedWorld world, int[] counts, CancellationToken cancellationToken)
    {
        var header = "nodes\tfirst s\tmedian s\tp95 s\tall s\tleader alone s\tratio\tleader copies\tfairness";
        foreach (var count in counts)
        {
            var line = SimulationLine.Of(SimulationResult.Run(world with { Nodes = count }, cancellationToken));
            console.Result(header.Length > 0 ? $"{header}\n{line.Text}" : line.Text, line, CliJson.Default.SimulationLine);
            header = "";
        }

        return ExitCode.Ok;
    }

    private static Option<ByteRate> RateOption(string name, string description, ByteRate standard) =>
        new(name)
        {
            Description = description,
            HelpName = "RATE",
            DefaultValueFactory = _ => standard,
            CustomParser = result =>
            {
                if (!ByteRate.TryParse(result.Tokens[0].Value, out var rate))
                {
                    result.AddError($"'{result.Tokens[0].Value}' is not {ByteRate.Form}.");
                }

                return rate;
            },
        };

    private static void RequireRange<T>(Option<T> option, Func<T, bool> isInRange, string otherwise) =>
        option.Validators.Add(result =>
        {
            if (result.Errors.Any() || result is not OptionResult given)
            {
                return;
            }

            if (given.GetValueOrDefault<T>() is { } value && !isInRange(value))
            {
                result.AddError($"{option.Name} is out of range. {otherwise}");
            }
        });
}

/// <summary>One simulated cluster. Times are seconds from the moment all nodes want the content.</summary>
/// <param name="Nodes">Nodes that wanted it, beside the leader.</param>
/// <param name="Stored">Those that got it.</param>
/// <param name="LeaderAlone">How long all take when everyone asks the leader alone.</param>
/// <param name="LeaderCopies">What the leader sent, in contents.</param>
/// <param name="Fairness">Jain's index of the completion times, 0 to 1.</param>
public sealed record SimulationLine(
    int Nodes,
    int Stored,
    double First,
    double Median,
    double P95,
    double All,
    double LeaderAlone,
    double LeaderCopies,
    double Fairness,
    int Seed
)
{
    public string Text =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Nodes}\t{First:0.00}\t{Median:0.00}\t{P95:0.00}\t{All:0.00}\t{LeaderAlone:0.00}\t{LeaderAlone / All:0.0}\t{LeaderCopies:0.00}\t{Fairness:0.000}"
        );

    public static SimulationLine Of(SimulationResult result) =>
        new(
            result.World.Nodes,
            result.Stored,
            Seconds(result.First),
            Seconds(result.Median),
            Seconds(result.Most),
            Seconds(result.All),
            Seconds(result.World.LeaderAlone),
            Math.Round(result.LeaderCopies, 3),
            Math.Round(result.Fairness, 3),
            result.World.Seed
        );

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);
}
