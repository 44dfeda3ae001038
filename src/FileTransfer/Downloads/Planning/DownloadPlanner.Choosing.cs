using FileTransfer.Chunks.Frames;

namespace FileTransfer.Downloads.Planning;

// Which source brings a part soonest.
public sealed partial class DownloadPlanner
{
    /// <summary>This many other nodes that have a file are enough to leave the leader alone.</summary>
    private const int NodesThatSpareTheLeader = 2;

    /// <summary>Taken for the rate of a source that was not measured yet, unless another was measured to be faster.</summary>
    private const double OptimisticRate = 32 * 1024 * 1024;

    /// <summary>The source with a free slot that ends the next part of a file first; null when none should start it now.</summary>
    private FileSource? ChooseSource(FilePlan file)
    {
        var best = SoonestSource(file, BytesOfNextPart(file), source => HasSlot(file, source));
        return best is var (source, seconds) && (file.IsInMap || !OthersEndBefore(file, source, seconds)) ? source : null;
    }

    private long BytesOfNextPart(FilePlan file) =>
        file.HashesProven ? BytesOf(Math.Min(file.Unstarted.Count, _limits.WindowChunks))
        : TakesHashesInRanges(file) ? Math.Min(file.Unstarted.Count, _limits.HashChunks) * Hash256.Length
        : BytesOf(file.ChunkCount);

    private (FileSource Source, double Seconds)? SoonestSource(FilePlan file, long bytes, Func<FileSource, bool> isAllowed)
    {
        (FileSource Source, double Seconds)? best = null;
        var equals = 1;
        var optimisticRate = OptimisticRateOf(file);
        foreach (var source in file.Sources)
        {
            if (!CanUse(file, source) || !isAllowed(source))
            {
                continue;
            }

            var seconds = SecondsToBring(source.State.Load, bytes, optimisticRate);
            var order = best is var (other, least)
                ? (PlaceOf(file, source), seconds, source.Kind).CompareTo((PlaceOf(file, other), least, other.Kind))
                : -1;
            equals = order == 0 ? equals + 1 : 1;

            // Drawn among equals, so that many nodes that see the same sources do not all go to the same one.
            if (order < 0 || (order == 0 && random.Next(equals) == 0))
            {
                best = (source, seconds);
            }
        }

        return best;
    }

    /// <summary>A file may ask this source now, as far as the source is concerned.</summary>
    private bool CanUse(FilePlan file, FileSource source) =>
        source.IsCandidate
        && source.State.Condition == SourceCondition.Healthy
        && source.BusyUntil <= _now
        && source.RetryAt <= _now
        && source.State.PausedUntil <= _now
        && (IsTrusted(file, source) || !HasTrustedSource(file))
        && (source.Kind != SourceKind.Leader || !SparesLeader(file))
        && (!SendsOnlyWhole(file, source) || IsSmall(file) || (!HasWindowsInFlight(file) && !HasHopefulForRanges(file)))
        && HasNextPart(file, source);

    /// <summary>A leader that many ask comes first for windows, of which it is asked for those alone that nobody else has, and last for hashes.</summary>
    private static int PlaceOf(FilePlan file, FileSource source) =>
        !file.IsShared || source.Kind != SourceKind.Leader ? 0
        : file.HashesProven ? -1
        : 1;

    /// <summary>A source without ranges can be asked for hashes all the same, where one request is for all of them.</summary>
    private bool SendsOnlyWhole(FilePlan file, FileSource source) =>
        source.Kind == SourceKind.Stream
        || (source.LacksHashes && !file.HashesProven)
        || (source is { Kind: SourceKind.Share, State.LacksRanges: true } && (file.HashesProven || TakesHashesInRanges(file)));

    private bool IsTrusted(FilePlan file, FileSource source) => !source.State.IsDistrustedFor(file.Key, _now);

    /// <summary>Somebody trusted may bring it, so that nobody has to ask who is not. Who is not is the last source where nobody may.</summary>
    private bool HasTrustedSource(FilePlan file)
    {
        foreach (var source in file.Sources)
        {
            if (IsTrusted(file, source) && IsHopeful(source) && source.State.PausedUntil <= _now && source.RetryAt <= _now)
            {
                return true;
            }
        }

        return false;
    }

    private bool HasSlot(FilePlan file, FileSource source) =>
        source.State != _evicted
        && MayShareMore(file, source)
        && source.InFlight < _limits.RequestsPerFileAndSource
        && source.State.Load.HasRoomFor(IsSmall(file) ? PlannedRequest.ShareOf(file, source) : 0, _limits.RequestsPerSource)
        && (source.State.Load.InFlight.Count > 0 || _connections < _limits.Connections);

    private bool SparesLeader(FilePlan file)
    {
        var nodes = 0;
        foreach (var source in file.Sources)
        {
            nodes += source is { Kind: SourceKind.Node, Parts: null } && IsHopeful(source) && IsTrusted(file, source) ? 1 : 0;
        }

        return file.CompetingNodes > 0 && nodes >= NodesThatSpareTheLeader;
    }

    private static bool HasWindowsInFlight(FilePlan file) => file.InFlight.Exists(request => request.IsRange);

    private bool HasHopefulForRanges(FilePlan file)
    {
        foreach (var source in file.Sources)
        {
            if (!SendsOnlyWhole(file, source) && IsHopeful(source) && (IsTrusted(file, source) || !HasTrustedSource(file)))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsHopeful(FileSource source) =>
        source.IsCandidate
        && !source.HasFailed(_limits.FailuresPerFile)
        && (source.State.Condition == SourceCondition.Healthy || source.State.MayAnswerSoon(_now, _limits.LanePatience));

    /// <summary>One request brings it, and proves it at its end.</summary>
    private bool IsSmall(FilePlan file) => !file.HashesProven && file.ChunkCount <= _limits.WindowChunks;

    /// <summary>The sources that a file uses already have all that is left sooner than another one has this window.</summary>
    private bool OthersEndBefore(FilePlan file, FileSource candidate, double seconds)
    {
        var rate = 0.0;
        var bytes = TakesHashesInRanges(file) ? file.Unstarted.Count * Hash256.Length : BytesOf(file.Unstarted.Count);
        var optimisticRate = OptimisticRateOf(file);
        foreach (var source in file.Sources)
        {
            if (source.InFlight > 0 && source != candidate)
            {
                rate += source.State.Load.Rate.At(_now) ?? optimisticRate;
                bytes += source.State.Load.BytesInFlight;
            }
        }

        return rate > 0 && bytes / rate < seconds;
    }

    private double SecondsToBring(SourceLoad load, long bytes, double optimisticRate) =>
        load.Latency.TotalSeconds + ((load.BytesInFlight + bytes) / (load.Rate.At(_now) ?? optimisticRate));

    private double OptimisticRateOf(FilePlan file)
    {
        var rate = OptimisticRate;
        foreach (var source in file.Sources)
        {
            rate = Math.Max(rate, source.State.Load.Rate.At(_now) ?? 0);
        }

        return rate;
    }

    private static long BytesOf(long chunks) => chunks * ChunkFrame.Length;
}
