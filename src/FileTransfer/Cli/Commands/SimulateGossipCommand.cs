using FileTransfer.Cli.Output;
using FileTransfer.Cli.Simulation;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer simulate gossip</c></summary>
internal static class SimulateGossipCommand
{
    private const string Columns =
        "        |     quiet      | change | killed |  healed  |         churn          | suspected |\n"
        + "   nodes | msgs/s bytes/s | rounds |   dead |   s   KiB | rounds bytes/s settled | wrongly dead |";

    private static readonly int[] _nodes = [5, 100, 1_000, 5_000];

    public static CliCommand Create()
    {
        var world = new GossipWorld();
        var nodes = SimulateCommand.Nodes(
            "How many nodes there are; repeat it for a run with each number (default 5 100 1000 5000).",
            least: 2
        );
        var loss = SimulateCommand.Number("--loss", "Fraction of messages that are lost, 0 to 0.5 (default 0.01).", 0.5);
        var churn = SimulateCommand.Number(
            "--churn",
            "Fraction of the nodes that is killed per minute, 0 to 1; each is back 10 s later (default 0.1).",
            1
        );
        loss.DefaultValueFactory = _ => world.Loss;
        churn.DefaultValueFactory = _ => world.Churn;
        var seed = SimulateCommand.Seed();
        return new CliCommand("gossip", "Shows how nodes keep track of each other, in virtual time")
        {
            Notes =
            [
                "Every simulated node runs the gossip of this program; messages and faults are simulated. Nodes that know each other see, in",
                "turn: a minute in which nothing changes; a node that says something new; one that is killed; two halves that do not reach",
                $"each other for a minute; nodes that are killed and come back. What is sent is by one node: bodies as they are, and {GossipWorld.RequestHead}",
                $"and {GossipWorld.AnswerHead} bytes for the heads of a request and an answer. Of 10,000 nodes it takes a quarter of an hour or more, and 6 GiB of memory.",
            ],
            Examples =
            [
                "filetransfer simulate gossip",
                "filetransfer simulate gossip --nodes 1000 --loss 0.05 --churn 0.5 --json",
            ],
            Ends = [ExitCode.NotComplete],
        }
            .Taking(nodes, loss, churn, seed)
            .Runs(run =>
                SimulateCommand.RunEach(
                    run,
                    run.Get(nodes) is { Length: > 0 } given ? given : _nodes,
                    Columns,
                    number =>
                        GossipResult.Run(
                            world with
                            {
                                Nodes = number,
                                Loss = run.Get(loss),
                                Churn = run.Get(churn),
                                Seed = run.Get(seed),
                            },
                            run.CancellationToken
                        ),
                    result => (TextOf(result), LineOf(result), result.IsComplete)
                )
            );
    }

    private static GossipSimulationLine LineOf(GossipResult result) =>
        new(
            result.World.Nodes,
            result.QuietMessages,
            result.QuietBytes,
            result.Rounds,
            result.Killed?.TotalSeconds,
            result.Healed?.TotalSeconds,
            result.HealingBytes,
            result.ChurnRounds,
            result.ChurnBytes,
            result.Settled?.TotalSeconds,
            result.Suspected,
            result.SeenDead,
            result.Events,
            result.World.Seed
        );

    private static string TextOf(GossipResult result) =>
        $"{result.World.Nodes, 8} |{result.QuietMessages, 7:0.00}{result.QuietBytes, 8:0} |{result.Rounds, 7} |"
        + $"{result.Killed?.TotalSeconds, 7:0} |{result.Healed?.TotalSeconds, 4:0}{result.HealingBytes / 1024, 6:0} |"
        + $"{result.ChurnRounds, 7}{result.ChurnBytes, 8:0}{result.Settled?.TotalSeconds, 8:0} |{result.Suspected, 8}{result.SeenDead, 5} |";
}
