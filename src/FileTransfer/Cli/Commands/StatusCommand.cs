using System.CommandLine;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer status [KEY]</c></summary>
public static class StatusCommand
{
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(250);

    public static Command Create(CliStreams streams)
    {
        var key = IdentityOptions.Key();
        key.Arity = ArgumentArity.ZeroOrOne;
        var wait = Duration.Option("--wait", "Wait until everything (or KEY) is stored on all nodes, but no longer than this.");
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("status", "Shows the nodes with their roles and queues, or one file with its replicas")
        {
            Notes =
            [
                "Exits with 0 when every node has everything (or KEY), else with 3. A node that has not been heard from counts as lacking",
                "everything; 'filetransfer node remove' takes out one that is gone for good. Failed replicas end a wait with 3: they stay",
                "failed until a new source appears or somebody runs 'filetransfer retry'.",
            ],
            Examples = ["filetransfer status", "filetransfer status 0x3f…", "filetransfer status --wait 5m && echo all stored"],
            Ends = [ExitCode.NotComplete, ExitCode.TimedOut, ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(key);
        command.Add(wait);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                Func<CancellationToken, Task<IStatus>> ask =
                    parse.GetResult(key) is { Tokens.Count: > 0 } && parse.GetValue(key) is var file
                        ? token => FileStatus.AskAsync(nodes, file, token)
                        : token => ClusterStatus.AskAsync(nodes, token);
                if (parse.GetResult(wait) is null)
                {
                    var status = await ask(cancellationToken);
                    status.Show(console);
                    return status.IsComplete ? ExitCode.Ok : ExitCode.NotComplete;
                }

                return await console.WithStatusAsync(tell =>
                    WaitAsync(ask, parse.GetValue(wait), streams.Time, console, tell, cancellationToken)
                );
            }
        );
        return command;
    }

    private static async Task<ExitCode> WaitAsync(
        Func<CancellationToken, Task<IStatus>> ask,
        TimeSpan wait,
        TimeProvider time,
        CliConsole console,
        Action<string> tell,
        CancellationToken cancellationToken
    )
    {
        using var over = new CancellationTokenSource(wait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        IStatus? status = null;
        try
        {
            while (true)
            {
                status = await ask(either.Token);
                if (status.IsComplete || status.IsHopeless)
                {
                    status.Show(console);
                    return status.IsComplete ? ExitCode.Ok : ExitCode.NotComplete;
                }

                tell(status.Lacking);
                await Task.Delay(_pollInterval, time, either.Token);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            status?.Show(console);
            throw new CliException(
                ExitCode.TimedOut,
                $"Not complete after {wait.TotalSeconds:0.###} s: {status?.Lacking ?? "no node answered"}."
            );
        }
    }
}

/// <summary>How far the cluster, or a file in it, is.</summary>
public interface IStatus
{
    /// <summary>Whether no live node has anything left to do.</summary>
    bool IsComplete { get; }

    /// <summary>Whether waiting alone will not complete it.</summary>
    bool IsHopeless { get; }

    /// <summary>What is missing, in words.</summary>
    string Lacking { get; }

    void Show(CliConsole console);
}
