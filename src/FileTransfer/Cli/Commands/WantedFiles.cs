using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Commands;

/// <summary>The intents of one command, and the wait for their files.</summary>
public sealed class WantedFiles(NodeSet nodes, TimeProvider time)
{
    private static readonly TimeSpan _patienceOfTheEnd = TimeSpan.FromSeconds(10);

    private readonly List<(Uri Node, FileKey Key, Guid Intent)> _standing = [];

    /// <summary>Files that are waited for.</summary>
    public int Standing => _standing.Count;

    /// <summary>Asks for all of the files first, so that the node may bring them side by side, and then waits for one after the other.</summary>
    public async Task<ExitCode> BringAsync(
        IReadOnlyList<FileKey> keys,
        CliConsole console,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        var end = ExitCode.Ok;
        foreach (var key in keys)
        {
            try
            {
                var id = Guid.CreateVersion7();
                var (node, answer) = await nodes.RunAsync(
                    async (client, token) => (client.Node, await client.AskForAsync(key, id, token)),
                    cancellationToken
                );
                if (answer.Outcome is null)
                {
                    _standing.Add((node, key, answer.Id));
                }
                else
                {
                    end = end.And(Conclude(console, answer));
                }
            }
            catch (NodeException fault) when (fault.Remedy == RetryAdvice.OtherNode)
            {
                end = end.And(console.Failure(fault, key.ToString()));
            }
        }

        while (_standing is [var (node, key, intent), ..])
        {
            end = end.And(Conclude(console, await EndOfAsync(node, key, intent, progress, cancellationToken)));
            _standing.RemoveAt(0);
        }

        return end;
    }

    /// <summary>Withdraws what still stands, as well as that can be done: the command ends.</summary>
    public async Task WithdrawAsync(CliConsole console)
    {
        using var patience = new CancellationTokenSource(_patienceOfTheEnd, time);
        foreach (var (node, key, intent) in _standing)
        {
            try
            {
                await nodes.At(node).RunAsync((client, token) => client.WithdrawAsync(key, intent, token), patience.Token);
            }
            catch (Exception fault) when (fault is NodeException or OperationCanceledException)
            {
                console.Notice(
                    $"the intent {intent} for {key} could not be withdrawn: {fault.Message} "
                        + $"Do it with 'filetransfer fetch {key} --withdraw {intent} --url {node.Display()}'."
                );
            }
        }
    }

    private async Task<IntentResource> EndOfAsync(
        Uri at,
        FileKey key,
        Guid intent,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        var events = new NodeEvents($"v1/files/{key}/events");
        TransferBar? bar = null;
        IntentResource? end = null;
        try
        {
            await nodes
                .At(at)
                .RunAsync(
                    async (node, token) =>
                    {
                        await node.FollowAsync(
                            events,
                            async (happened, _) =>
                            {
                                if (happened.Number("size") is { } size)
                                {
                                    bar ??= progress.Start(key.ToString(), size);
                                    bar.Report(happened.Number("bytesProven") ?? 0);
                                }

                                return !MayEnd(happened)
                                    || (end = await node.GetIntentAsync(key, intent, token)) is { Outcome: null };
                            },
                            token
                        );
                        return true;
                    },
                    cancellationToken,
                    () => events.Count
                );
        }
        finally
        {
            bar?.Dispose();
        }

        return end!;
    }

    private static bool MayEnd(NodeEvent happened) =>
        happened.Name is "done" or "failed" or "withdrawn"
        || (happened.Name == "state" && happened.Text("state") is "stored" or "failed" or "removing" or "absent");

    private static ExitCode Conclude(CliConsole console, IntentResource answer)
    {
        FetchCommand.Show(console, answer);
        return answer.Outcome switch
        {
            "stored" => ExitCode.Ok,
            "removed" => ExitCode.NotFound,
            _ => ExitCode.NotComplete,
        };
    }
}
