using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>The intents of one command, and the wait for their files.</summary>
internal sealed class WantedFiles(Invocation run)
{
    private static readonly TimeSpan _patienceOfTheEnd = TimeSpan.FromSeconds(10);

    private readonly List<(Uri Node, FileKey Key, Guid Intent)> _standing = [];
    private int _ended;

    /// <summary>Makes an intent at whichever node answers.</summary>
    public Task<(Uri Node, IntentResource Answer)> AskAsync(FileKey key, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        return run
            .Nodes.Until(cancellationToken)
            .RunAsync(async node =>
            {
                try
                {
                    var path = $"{Routes.Of(Routes.Intents, key)}?id={id}";
                    return (node.Node, await node.AskAsync<IntentResource>(HttpMethod.Post, path));
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    // The node may have made it all the same.
                    _standing.Add((node.Node, key, id));
                    throw;
                }
            });
    }

    /// <summary>Waits until all of the files are there, but no longer than the limit; withdraws the intents that still stand then.</summary>
    public async Task<ExitCode> BringAsync(FileKey[] keys, TimeSpan? limit)
    {
        using var over = limit is { } span ? new CancellationTokenSource(span, run.Time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(run.CancellationToken, over.Token);
        try
        {
            return await run.Console.WithProgressAsync(progress => BringAsync(keys, progress, either.Token));
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !run.CancellationToken.IsCancellationRequested)
        {
            throw new CliException(
                ExitCode.TimedOut,
                $"{keys.Length - _ended} of {keys.Length} files are not there after {limit!.Value.TotalSeconds:0.###} s; their intents are withdrawn."
            );
        }
        finally
        {
            await WithdrawAsync();
        }
    }

    /// <summary>Asks for all of the files first, so that the node may download them side by side, and then waits for one after the other.</summary>
    private async Task<ExitCode> BringAsync(FileKey[] keys, TransferProgress progress, CancellationToken cancellationToken)
    {
        var end = await run.EachAsync(
            keys,
            async key =>
            {
                var (node, answer) = await AskAsync(key, cancellationToken);
                if (answer.Outcome is not null)
                {
                    return Conclude(answer);
                }

                _standing.Add((node, key, answer.Id));
                return ExitCode.Ok;
            }
        );
        while (_standing is [var (node, key, intent), ..])
        {
            end = end.And(Conclude(await EndOfAsync(node, key, intent, progress, cancellationToken)));
            _standing.RemoveAt(0);
        }

        return end;
    }

    /// <summary>Withdraws what still stands, as well as that can be done: the command ends.</summary>
    private async Task WithdrawAsync()
    {
        using var patience = new CancellationTokenSource(_patienceOfTheEnd, run.Time);
        foreach (var (node, key, intent) in _standing)
        {
            try
            {
                await WithdrawAsync(run.Nodes.At(node).Until(patience.Token), key, intent);
            }
            catch (NodeProblemException problem) when (problem.Status == HttpStatusCode.NotFound)
            {
                // It was never made.
            }
            catch (Exception fault) when (fault is NodeException or OperationCanceledException)
            {
                run.Console.Notice(
                    $"the intent {intent} for {key} could not be withdrawn: {fault.Message} "
                        + $"Do it with 'filetransfer fetch {key} --withdraw {intent} --url {node.Display()}'."
                );
            }
        }
    }

    /// <summary>Withdraws one intent.</summary>
    public static Task<IntentResource> WithdrawAsync(NodeSet nodes, FileKey key, Guid intent) =>
        nodes.RunAsync(node => node.AskAsync<IntentResource>(HttpMethod.Delete, PathOf(key, intent)));

    private static string PathOf(FileKey key, Guid intent) => $"{Routes.Of(Routes.Intents, key)}/{intent}";

    private async Task<IntentResource> EndOfAsync(
        Uri at,
        FileKey key,
        Guid intent,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        var events = new NodeEvents(Routes.Of(Routes.FileEvents, key));
        TransferBar? bar = null;
        IntentResource? end = null;
        try
        {
            await run
                .Nodes.At(at)
                .Until(cancellationToken)
                .RunAsync(
                    node =>
                        node.FollowAsync(
                            events,
                            async happened =>
                            {
                                if (happened.Number("size") is { } size)
                                {
                                    bar ??= progress.Start(key.ToString(), size);
                                    bar.Report(happened.Number("bytesProven") ?? 0);
                                }

                                return !MayEnd(happened)
                                    || (end = await node.GetAsync<IntentResource>(PathOf(key, intent))) is { Outcome: null };
                            }
                        ),
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

    private ExitCode Conclude(IntentResource answer)
    {
        _ended++;
        FetchCommand.Show(run, answer);
        return answer.Outcome switch
        {
            "stored" => ExitCode.Ok,
            "removed" => ExitCode.NotFound,
            _ => ExitCode.NotComplete,
        };
    }
}
