using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;
using FileTransfer.Identity;

namespace FileTransfer.Downloads;

/// <content>One task per request.</content>
public sealed partial class DownloadEngine
{
    private void Begin(PlannerAction.Fetch fetch)
    {
        var attempt = _attempts[fetch.File];
        var abort = CancellationTokenSource.CreateLinkedTokenSource(attempt.Cancelled);
        _requests.Add(fetch.Request, abort);
        var access = fetch.Part switch
        {
            FetchPart.Window => PartialAccess.Window,
            FetchPart.HashRange => PartialAccess.HashRange,
            _ => PartialAccess.Alone,
        };
        attempt.Start(access, () => FetchAsync(fetch, attempt, abort));
    }

    private async Task FetchAsync(PlannerAction.Fetch fetch, DownloadAttempt attempt, CancellationTokenSource abort)
    {
        var token = abort.Token;
        var brought = 0;
        var report = new FetchProgress(
            () => OnAnswered(fetch, attempt),
            chunks =>
            {
                OnBrought(fetch, attempt, brought, chunks);
                brought += chunks;
            },
            time
        );
        try
        {
            var source =
                sources.Find(fetch.Source) ?? throw new InvalidOperationException($"{fetch.Source} is not a known source.");
            if (attempt.IsInMemory)
            {
                attempt.RequireRoom(attempt.Claim.Size);
                var (key, fingerprint, size) = (attempt.Claim.Key, attempt.Claim.Fingerprint, (int)attempt.Claim.Size);
                attempt.Bytes ??= await source.FetchBytesAsync(key, fingerprint, size, report, token);
                Tell(new PlannerEvent.RequestDone(fetch.Request));
                return;
            }

            var opening = attempt.OpenAsync();
            if (!opening.IsCompleted)
            {
                // What an earlier attempt left is being proven again; the source is not to blame for the time.
                Tell(new PlannerEvent.RequestAnswered(fetch.Request));
            }

            var partial = await opening.WaitAsync(token);
            switch (fetch.Part)
            {
                case FetchPart.Hashes or FetchPart.HashRange when partial.HashesProven:
                    // An earlier attempt left them, and chunks with them.
                    Tell(
                        new PlannerEvent.RequestDone(fetch.Request),
                        new PlannerEvent.HashesKnown(fetch.File, MissingOf(partial))
                    );
                    return;
                case FetchPart.HashRange range:
                    await source.FetchHashesAsync(partial, range.Chunks, report, token);
                    break;
                case FetchPart.Hashes:
                    var all = new ChunkRange(0, checked((int)partial.ChunkCount));
                    await source.FetchHashesAsync(partial, all, report, token);
                    await partial.RevalidateFromDiskAsync(token);
                    report.Flush();
                    Tell(
                        new PlannerEvent.RequestDone(fetch.Request),
                        new PlannerEvent.HashesKnown(fetch.File, MissingOf(partial))
                    );
                    KeepHashes(attempt, partial);
                    return;
                case FetchPart.Window window:
                    await source.FetchWindowAsync(partial, window.Chunks, report, token);
                    break;
                default:
                    await source.FetchWholeAsync(partial, report, token);
                    break;
            }

            report.Flush();
            Tell(new PlannerEvent.RequestDone(fetch.Request));
        }
        catch (SourceException fault)
        {
            report.Flush();
            OnFault(fetch, attempt, fault);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // Given up by the planner, or with its file.
        }
        catch (Exception fault)
        {
            attempt.Fail(fault);
            if (fault is not (NoRoomException or DiskFullException))
            {
                Log.Fault(logger, fetch.File, fetch.Source.Value, fault);
            }

            Tell(new PlannerEvent.RequestFailed(fetch.Request, SourceFaultKind.Local, fault.Message));
        }
        finally
        {
            lock (_gate)
            {
                _requests.Remove(fetch.Request);
            }

            abort.Dispose();
        }
    }

    private void Prove(PlannerAction.ProveHashes prove)
    {
        var attempt = _attempts[prove.File];
        attempt.Start(PartialAccess.Alone, () => ProveHashesAsync(prove, attempt));
    }

    /// <summary>The hashes came in ranges, from several sources.</summary>
    private async Task ProveHashesAsync(PlannerAction.ProveHashes prove, DownloadAttempt attempt)
    {
        try
        {
            var partial = await attempt.OpenAsync();
            if (!partial.VerifyHashes())
            {
                Tell(new PlannerEvent.HashesRefuted(prove.File));
                return;
            }

            await partial.RevalidateFromDiskAsync(attempt.Cancelled);
            Tell(new PlannerEvent.HashesKnown(prove.File, MissingOf(partial)));
            KeepHashes(attempt, partial);
        }
        catch (OperationCanceledException) when (attempt.Cancelled.IsCancellationRequested)
        {
            // Given up with its file.
        }
        catch (Exception fault)
        {
            GiveUp(attempt, fault);
        }
    }

    /// <summary>Writes the hashes down while the first windows come: whoever resumes after a kill can prove with them what is here.</summary>
    private void KeepHashes(DownloadAttempt attempt, PartialFile partial)
    {
        try
        {
            partial.KeepHashes();
        }
        catch (IOException fault)
        {
            GiveUp(attempt, fault);
        }
    }

    /// <summary>Gives a file up for what this node failed of outside a request.</summary>
    private void GiveUp(DownloadAttempt attempt, Exception fault)
    {
        attempt.Fail(fault);
        lock (_gate)
        {
            Tell(new PlannerEvent.FileDropped(attempt.Claim.Key));
            attempt.End(
                new PlannerAction.GiveUp(attempt.Claim.Key, fault.Message, SourceFaultKind.Local, HasAsked: true),
                _wakes
            );
        }
    }

    private static List<ChunkRange> MissingOf(PartialFile partial)
    {
        var missing = new List<ChunkRange>();
        for (long from = 0; partial.TryNextMissing(from, int.MaxValue, out var first, out var count); from = first + count)
        {
            missing.Add(new ChunkRange(first, count));
        }

        return missing;
    }

    private void OnAnswered(PlannerAction.Fetch fetch, DownloadAttempt attempt)
    {
        Tell(new PlannerEvent.RequestAnswered(fetch.Request));
        if (attempt.IsFirstAnswerOf(fetch.Source))
        {
            Publish(attempt.Claim, DownloadEventKind.Connected, attempt.BytesProven, fetch.Source);
        }
    }

    private void OnBrought(PlannerAction.Fetch fetch, DownloadAttempt attempt, int before, int chunks)
    {
        // A content without hashes is proven at its end, and the end is told by the lane.
        if (fetch.Part is FetchPart.Window { Chunks: var window })
        {
            ChunkRange proven = new(window.First + before, chunks);
            events.Proven(fetch.File, fetch.Source.Value, attempt.BytesProven, attempt.Claim.Size, proven);
        }

        Tell(new PlannerEvent.ChunksProven(fetch.Request, chunks));
    }

    private void OnFault(PlannerAction.Fetch fetch, DownloadAttempt attempt, SourceException fault)
    {
        history.Record(fetch.File, fetch.Source.Value, fault.Message);
        if (fault.Kind is not (SourceFaultKind.Busy or SourceFaultKind.Throttled))
        {
            Publish(attempt.Claim, DownloadEventKind.SourceChanged, attempt.BytesProven, fetch.Source, fault.Message);
        }

        Tell(new PlannerEvent.RequestFailed(fetch.Request, fault.Kind, fault.Message, fault.RetryAfter));
        if (fault.Damage is { } damage && sources.Find(fetch.Source) is NodeSource node)
        {
            _ = Task.Run(() => TellDamageAsync(node, fetch.File, damage));
        }
    }

    /// <summary>The node may not know yet what is wrong with its copy; it proves it when it is told. Whether it can be told changes nothing here.</summary>
    private async Task TellDamageAsync(NodeSource node, FileKey file, SourceDamage damage)
    {
        // It proves all of the content: one report at a time is enough.
        if (!_damageReports.TryAdd((node.Id, file), true))
        {
            return;
        }

        try
        {
            if (await node.TellDamageAsync(file, damage, _stopped.Token) is { } refusal)
            {
                Log.NotTold(logger, file, node.Id.Value, refusal);
            }
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
            // The node stops.
        }
        catch (Exception e) when (e is SourceException or OperationCanceledException)
        {
            Log.NotTold(logger, file, node.Id.Value, e.Message);
        }
        finally
        {
            _damageReports.TryRemove((node.Id, file), out _);
        }
    }
}
