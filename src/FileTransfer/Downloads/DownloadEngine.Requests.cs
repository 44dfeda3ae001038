using System.Diagnostics;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;

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
        // Whoever had the planner choose may have been at work for another file.
        Activity.Current = attempt.Trace;
        using var trace = DownloadTraces.Fetch(fetch);
        var token = abort.Token;
        var came = 0;
        IDisposable? expected = null;
        var progress = new FetchProgress(
            () =>
            {
                OnAnswered(fetch, attempt);
                expected ??= fetch.Part is FetchPart.Window coming ? attempt.Partial?.Arriving?.Expect(coming.Chunks) : null;
            },
            chunks =>
            {
                OnChunks(fetch, attempt, came, chunks);
                came += chunks;
            },
            time
        );
        try
        {
            var source = sources.Find(fetch.Source) ?? throw new InvalidOperationException($"{fetch.Source} is not known.");
            if (attempt.IsInMemory)
            {
                attempt.RequireRoom(attempt.Claim.Size);
                var (key, fingerprint, size) = (attempt.Claim.Key, attempt.Claim.Fingerprint, (int)attempt.Claim.Size);
                attempt.Bytes ??= await source.FetchBytesAsync(key, fingerprint, size, progress, token);
                Tell(new PlannerEvent.RequestDone(fetch.Request));
                return;
            }

            var opening = attempt.OpenAsync();
            if (!opening.IsCompleted)
            {
                // What an earlier attempt left is being proven again: that is not the source's time.
                Tell(new PlannerEvent.RequestAnswered(fetch.Request));
            }

            var partial = await opening.WaitAsync(token);
            switch (fetch.Part)
            {
                case FetchPart.Hashes or FetchPart.HashRange when partial.HashesProven:
                    // An earlier attempt left them, and chunks with them.
                    Tell(new PlannerEvent.RequestDone(fetch.Request), HashesOf(partial));
                    return;
                case FetchPart.HashRange range:
                    await source.FetchHashesAsync(partial, range.Chunks, progress, token);
                    break;
                case FetchPart.Hashes:
                    var all = new ChunkRange(0, checked((int)partial.ChunkCount));
                    await source.FetchHashesAsync(partial, all, progress, token);
                    await partial.RevalidateFromDiskAsync(token);
                    progress.Flush();
                    Tell(new PlannerEvent.RequestDone(fetch.Request), HashesOf(partial));
                    KeepHashes(attempt, partial);
                    return;
                case FetchPart.Window window:
                    await source.FetchWindowAsync(partial, window.Chunks, progress, token);
                    break;
                default:
                    await source.FetchWholeAsync(partial, progress, token);
                    break;
            }

            progress.Flush();
            Tell(new PlannerEvent.RequestDone(fetch.Request));
        }
        catch (SourceException fault)
        {
            progress.Flush();
            trace?.SetStatus(ActivityStatusCode.Error, fault.Message);
            var wasted = fetch.Part is FetchPart.Window ? progress.BytesUnreported : progress.BytesReceived;
            OnFault(fetch, attempt, fault, wasted);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // Cancelled by the planner, or with its file.
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
            expected?.Dispose();
            lock (_gate)
            {
                _requests.Remove(fetch.Request);
            }

            abort.Dispose();
        }
    }

    private void OnAnswered(PlannerAction.Fetch fetch, DownloadAttempt attempt)
    {
        Tell(new PlannerEvent.RequestAnswered(fetch.Request));
        if (attempt.IsFirstAnswerOf(fetch.Source))
        {
            Publish(attempt.Claim, DownloadEventKind.Connected, attempt.BytesProven, fetch.Source);
        }
    }

    private void OnChunks(PlannerAction.Fetch fetch, DownloadAttempt attempt, int before, int chunks)
    {
        DownloadMetrics.Proven(fetch.Source, chunks);
        // A content without hashes is proven at its end, and its lane publishes that end.
        if (fetch.Part is FetchPart.Window { Chunks: var window })
        {
            ChunkRange proven = new(window.First + before, chunks);
            events.Proven(fetch.File, fetch.Source.Value, attempt.BytesProven, attempt.Claim.Size, proven);
        }

        Tell(new PlannerEvent.ChunksProven(fetch.Request, chunks));
    }

    private void OnFault(PlannerAction.Fetch fetch, DownloadAttempt attempt, SourceException fault, long wasted)
    {
        history.Record(new FailedRequest(fetch.File, fetch.Source.Value, fault.Kind, fault.Message, wasted));
        DownloadMetrics.Fault(fetch.Source, fault.Kind);
        if (fault.Kind is not (SourceFaultKind.Busy or SourceFaultKind.Throttled))
        {
            Publish(attempt.Claim, DownloadEventKind.SourceChanged, attempt.BytesProven, fetch.Source, fault.Message);
        }

        Tell(new PlannerEvent.RequestFailed(fetch.Request, fault.Kind, fault.Message, fault.RetryAfter));
        if (fault.Damage is { } damage && sources.Find(fetch.Source) is NodeSource node)
        {
            _ = Task.Run(() => ReportDamageAsync(node, fetch.File, damage));
        }
    }

    /// <summary>The node may not know yet what is wrong with its copy; told, it proves it. Whether it hears of it changes nothing here.</summary>
    private async Task ReportDamageAsync(NodeSource node, FileKey file, DamageReport damage)
    {
        // It proves all of the content: one report at a time is enough.
        if (!_damageReports.TryAdd((node.Id, file), true))
        {
            return;
        }

        try
        {
            if (await node.ReportDamageAsync(file, damage, _stopped.Token) is { } refusal)
            {
                Log.DamageNotReported(logger, file, node.Id.Value, refusal);
            }
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
            // The node stops.
        }
        catch (Exception e) when (e is SourceException or OperationCanceledException)
        {
            Log.DamageNotReported(logger, file, node.Id.Value, e.Message);
        }
        finally
        {
            _damageReports.TryRemove((node.Id, file), out _);
        }
    }
}
