using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer fetch KEY…</c></summary>
public static class FetchCommand
{
    public static Command Create(CliStreams streams)
    {
        var keys = IdentityOptions.Keys();
        var detach = new Option<bool>("--detach")
        {
            Description = "Leave the intents at the node and exit at once; each line names the intent.",
        };
        var withdraw = new Option<Guid?>("--withdraw")
        {
            Description = "Withdraw this intent for KEY instead of making one.",
            HelpName = "INTENT",
        };
        var wait = Duration.Option("--wait", "Wait no longer than this for all the files (default: until they are there).");
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("fetch", "Makes a node download files now, and waits until it has them")
        {
            Notes =
            [
                "With several URLs, the first node that answers downloads them. A command that ends before the files are there withdraws",
                "its intents; downloads that no other intent and no policy of the node wants end with them.",
            ],
            Examples =
            [
                "filetransfer fetch 0x3f… --url http://node-b:7070",
                "filetransfer fetch 0x3f… 0x9a… --wait 10m",
                "filetransfer fetch 0x3f… --detach",
                "filetransfer fetch 0x3f… --withdraw 0198a5d2-6f0e-7c3a-9b41-5d2f8e6a1c07",
            ],
            Ends =
            [
                ExitCode.NotComplete,
                ExitCode.TimedOut,
                ExitCode.NotFound,
                ExitCode.Refused,
                ExitCode.Unreachable,
                ExitCode.Interrupted,
            ],
        };
        command.Add(keys);
        command.Add(detach);
        command.Add(withdraw);
        command.Add(wait);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.Validators.Add(result =>
        {
            if (result.GetResult(withdraw) is not null && result.GetResult(keys) is { Tokens.Count: > 1 })
            {
                result.AddError("An intent is for one file: give --withdraw one KEY.");
            }
        });
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                var files = parse.GetRequiredValue(keys);
                if (parse.GetValue(withdraw) is { } id)
                {
                    var answer = await nodes.RunAsync(
                        (node, token) => node.WithdrawAsync(files[0], id, token),
                        cancellationToken
                    );
                    Show(console, answer);
                    return ExitCode.Ok;
                }

                TimeSpan? limit = parse.GetResult(wait) is null ? null : parse.GetValue(wait);
                return parse.GetValue(detach)
                    ? await DetachAsync(nodes, files, console, cancellationToken)
                    : await WaitAsync(nodes, files, limit, streams.Time, console, cancellationToken);
            }
        );
        return command;
    }

    private static async Task<ExitCode> DetachAsync(
        NodeSet nodes,
        FileKey[] keys,
        CliConsole console,
        CancellationToken cancellationToken
    )
    {
        var end = ExitCode.Ok;
        foreach (var key in keys)
        {
            try
            {
                var id = Guid.CreateVersion7();
                Show(console, await nodes.RunAsync((node, token) => node.AskForAsync(key, id, token), cancellationToken));
            }
            catch (NodeException fault) when (fault.Remedy == RetryAdvice.OtherNode)
            {
                end = end.And(console.Failure(fault, key.ToString()));
            }
        }

        return end;
    }

    private static async Task<ExitCode> WaitAsync(
        NodeSet nodes,
        FileKey[] keys,
        TimeSpan? limit,
        TimeProvider time,
        CliConsole console,
        CancellationToken cancellationToken
    )
    {
        using var over = limit is { } span ? new CancellationTokenSource(span, time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        var wanted = new WantedFiles(nodes, time);
        try
        {
            return await console.WithProgressAsync(progress => wanted.BringAsync(keys, console, progress, either.Token));
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new CliException(
                ExitCode.TimedOut,
                $"{wanted.Standing} of {keys.Length} files are not there after {limit!.Value.TotalSeconds:0.###} s; their intents are withdrawn."
            );
        }
        finally
        {
            await wanted.WithdrawAsync(console);
        }
    }

    internal static void Show(CliConsole console, IntentResource answer) =>
        console.Result(
            $"{answer.Key}\t{answer.Outcome ?? answer.State}\t{answer.Id}\t{answer.Says}",
            answer,
            () => SparseJson.Default.IntentResource
        );
}
