using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer status [KEY]</c></summary>
internal static class StatusCommand
{
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(250);

    public static Command Create()
    {
        var key = IdentityOptions.Key(ArgumentArity.ZeroOrOne);
        var wait = Duration.Option("--wait", "Wait until everything (or KEY) is stored on all nodes, but no longer than this.");
        return new CliCommand("status", "Shows the nodes with their roles and queues, or one file with its replicas")
        {
            Notes =
            [
                "Exits with 0 when every node has everything (or KEY), else with 3. A node that has not been heard from counts as lacking",
                "everything; 'filetransfer node remove' takes out one that is gone for good. Failed replicas end a wait with 3: they stay",
                "failed until a new source appears or somebody runs 'filetransfer retry'.",
            ],
            Examples = ["filetransfer status", "filetransfer status 0x3f…", "filetransfer status --wait 5m && echo all stored"],
            Ends = [ExitCode.NotComplete, ExitCode.TimedOut, ExitCode.NotFound],
        }
            .Taking(key, wait)
            .AsksNodes(async run =>
            {
                Func<NodeSet, Task<IStatus>> ask = run.IsGiven(key)
                    ? nodes => FileStatus.AskAsync(nodes, run.Get(key))
                    : ClusterStatus.AskAsync;
                return run.Given(wait) is { } limit
                    ? await run.Console.WithStatusAsync(tell => WaitAsync(ask, limit, run, tell))
                    : Show(await ask(run.Nodes), run.Console);
            });
    }

    private static async Task<ExitCode> WaitAsync(
        Func<NodeSet, Task<IStatus>> ask,
        TimeSpan wait,
        Invocation run,
        Action<string> tell
    )
    {
        using var over = new CancellationTokenSource(wait, run.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(run.CancellationToken, over.Token);
        var nodes = run.Nodes.Until(either.Token);
        IStatus? status = null;
        try
        {
            while ((status = await ask(nodes)) is { IsComplete: false, IsHopeless: false })
            {
                tell(status.Lacking);
                await Task.Delay(_pollInterval, run.Time, either.Token);
            }

            return Show(status, run.Console);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !run.CancellationToken.IsCancellationRequested)
        {
            status?.Show(run.Console);
            throw new CliException(
                ExitCode.TimedOut,
                $"Not complete after {wait.TotalSeconds:0.###} s: {status?.Lacking ?? "no node answered"}."
            );
        }
    }

    private static ExitCode Show(IStatus status, CliConsole console)
    {
        status.Show(console);
        return status.IsComplete ? ExitCode.Ok : ExitCode.NotComplete;
    }
}

/// <summary>How far the cluster, or a file in it, is.</summary>
internal interface IStatus
{
    /// <summary>Whether no live node has anything left to do.</summary>
    bool IsComplete { get; }

    /// <summary>Whether waiting alone will not complete it.</summary>
    bool IsHopeless { get; }

    /// <summary>What is missing, in words.</summary>
    string Lacking { get; }

    void Show(CliConsole console);
}
