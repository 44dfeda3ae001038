using System.Numerics;

namespace FileTransfer.Downloads.Planning;

// Files that other nodes download at the same time: who has which window of them, and which is taken from whom.
public sealed partial class DownloadPlanner
{
    /// <summary>A source that refused so many windows in a row, for others, is left alone for longer.</summary>
    private const int RefusalsInRow = 3;

    private bool Apply(PlannerEvent.PartsBegun begun)
    {
        if (Partial(begun.File, begun.Source) is not ({ } file, { } source))
        {
            return false;
        }

        source.Parts!.HasHashes = true;
        if (source.State.Condition != SourceCondition.Healthy)
        {
            BecomeHealthy(source.State);
        }

        return !file.HashesProven;
    }

    /// <summary>True when it makes a request possible.</summary>
    private bool Apply(PlannerEvent.PartChanged changed)
    {
        if (Partial(changed.File, changed.Source) is not ({ } file, { } source) || changed.Window >= file.Map.Count)
        {
            return false;
        }

        SetPart(file, source, changed.Window, changed.State);
        return changed.State != PartState.Missing && file.Map.Unstarted.Contains(changed.Window) && HasSlot(file, source);
    }

    private bool Apply(PlannerEvent.PartsEnded ended)
    {
        if (Partial(ended.File, ended.Source) is not ({ } file, { } source))
        {
            return false;
        }

        ForgetParts(file, source);
        source.Parts = new SourceParts(file.Map.Count);
        return true;
    }

    private (FilePlan File, FileSource Source)? Partial(FileKey key, SourceId id) =>
        _fileOf.TryGetValue(key, out var file) && file.SourceOf(id) is { Parts: not null } source ? (file, source) : null;

    private static void SetPart(FilePlan file, FileSource source, int window, PartState state)
    {
        var parts = source.Parts!;
        var (before, after) = (parts.StateOf(window) != PartState.Missing, state != PartState.Missing);
        parts.Set(window, state);
        file.Map.CountCopies(window, (after ? 1 : 0) - (before ? 1 : 0));
    }

    private static void ForgetParts(FilePlan file, FileSource source)
    {
        for (var window = 0; window < file.Map.Count; window++)
        {
            SetPart(file, source, window, PartState.Missing);
        }
    }

    /// <summary>The leader alone has what nobody else has yet: there is always room for that.</summary>
    private bool MayShareMore(FilePlan file, FileSource source) =>
        !file.IsShared || source.Kind == SourceKind.Leader || file.InFlight.Count < _limits.RequestsPerSharedFile;

    /// <summary>The source has something that the file wants next.</summary>
    private bool HasNextPart(FilePlan file, FileSource source)
    {
        if (!file.IsInMap || source.Kind == SourceKind.Stream)
        {
            return true;
        }

        for (var word = 0; word < file.Map.Unstarted.Words.Length; word++)
        {
            if (WindowsAt(file, source, word) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The window to ask a source for: where a reader waits, else of those it has the rarest among the sources. The search begins anywhere, so that nodes that see the
    /// same sources ask for different ones, and have something for each other.
    /// </summary>
    private int NextWindow(FilePlan file, FileSource source)
    {
        if (
            file.FirstAwaited() is { } chunk
            && file.Map.WindowOf(chunk) is var awaited
            && (WindowsAt(file, source, awaited >> 6) & (1UL << awaited)) != 0
        )
        {
            return awaited;
        }

        var words = file.Map.Unstarted.Words.Length;
        var (start, rarest, copies) = (random.Next(file.Map.Count), -1, int.MaxValue);
        for (var i = 0; i <= words; i++)
        {
            var word = ((start >> 6) + i) % words;
            var bits = WindowsAt(file, source, word);
            var behind = ulong.MaxValue << start;
            bits &=
                i == 0 ? behind
                : i == words ? ~behind
                : ulong.MaxValue;
            for (; bits != 0; bits &= bits - 1)
            {
                var window = (word << 6) + BitOperations.TrailingZeroCount(bits);
                if (file.Map.CopiesOf(window) is var copiesOf && copiesOf < copies)
                {
                    (rarest, copies) = (window, copiesOf);
                }
            }
        }

        return rarest;
    }

    /// <summary>Sixty-four windows: those that may be asked of a source now.</summary>
    private ulong WindowsAt(FilePlan file, FileSource source, int word)
    {
        var windows = file.Map.Unstarted.Words[word];
        if (source.Refused is { } refused && source.RefusedUntil > _now)
        {
            windows &= ~refused.Words[word];
        }

        return source.Parts is { } parts
                ? windows & (parts.Here.Words[word] | (parts.Coming.Words[word] & ~file.Map.Returned.Words[word]))
            : source.Kind == SourceKind.Leader && file.IsShared ? windows & ~OfferedAt(file, word)
            : windows;
    }

    /// <summary>Sixty-four windows: those that others than the leader have, or are about to have; it is spared them.</summary>
    private ulong OfferedAt(FilePlan file, int word)
    {
        var offered = 0UL;
        foreach (var source in file.Sources)
        {
            if (source.Parts is { } parts && IsHopeful(source) && IsTrusted(file, source))
            {
                offered |= parts.Here.Words[word] | (parts.Coming.Words[word] & ~file.Map.Returned.Words[word]);
            }
        }

        return offered;
    }

    /// <summary>It has all that is open of a window; of one that began before the file was shared, of all windows that it spans.</summary>
    private static bool Has(FilePlan file, FileSource source, WindowPlan? window)
    {
        if (source.Parts is not { } parts || window is null || !file.HashesProven)
        {
            return true;
        }

        var open = window.Outstanding.Span();
        var last = file.Map.WindowOf(open.End - 1);
        for (var each = file.Map.WindowOf(open.First); each <= last; each++)
        {
            if (!parts.Here.Contains(each))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>It serves what it was asked for to another node, or everything it can to others.</summary>
    private void Refused(PlannedRequest request, PlannerEvent.RequestFailed failed)
    {
        var (file, source) = (request.File, request.Source);
        source.State.LastSeen = _now;
        source.Refusals++;
        var wait = Shorter(failed.RetryAfter ?? _limits.PermitWait, _longestBusy);
        if (!file.IsShared)
        {
            source.BusyUntil = _now + wait;
        }
        else if (request.Part is FetchPart.Window(var chunks) && source.Refusals < RefusalsInRow)
        {
            source.Refuse(file.Map.WindowOf(chunks.First), file.Map.Count, _now + _limits.RefusedWait, _now);
        }
        else
        {
            // Many ask the leader, few any other.
            source.BusyUntil = _now + ((source.Kind == SourceKind.Leader ? PermitWait(file) : _limits.RefusedWait) * Jitter());
            source.Refusals = 0;
        }
    }

    /// <summary>A source that downloads the file itself did not send what it was to have: it has it no more, and that is no fault.</summary>
    private void WasNotHere(PlannedRequest request, string reason)
    {
        var (file, source) = (request.File, request.Source);
        source.Fail(SourceFaultKind.NotFound, reason, broughtSomething: request.Came > 0);
        source.BusyUntil = _now + Backoff(source.Failures, _longestBusy);
        if (request.Part is FetchPart.Window(var chunks))
        {
            SetPart(file, source, file.Map.WindowOf(chunks.First), PartState.Missing);
        }
    }
}
