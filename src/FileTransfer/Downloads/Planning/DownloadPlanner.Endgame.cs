namespace FileTransfer.Downloads.Planning;

// Slow requests are not waited for when another source is idle.
public sealed partial class DownloadPlanner
{
    /// <summary>Another source must be this much faster, to be worth the bytes that come twice.</summary>
    private const double ClearlyFaster = 1.5;

    private const double ClearlyFasterSeconds = 0.05;

    /// <summary>A body whose bytes are lost when it is taken away is left for a source that may not have the file only to save so much.</summary>
    private const double SecondsWorthARisk = 10;

    /// <summary>How soon a hedged request that would not have been faster is considered again.</summary>
    private static readonly TimeSpan _hedgeLookPeriod = TimeSpan.FromMilliseconds(250);

    private TimeSpan? _nextHedgeLook;

    private void HedgeSlowRequests()
    {
        _nextHedgeLook = null;
        if (!_sources.Values.Any(IsIdle))
        {
            return;
        }

        foreach (var file in _files)
        {
            while (_requestsAtSources < _limits.Requests && HedgeSlowest(file)) { }
        }
    }

    /// <summary>Asks an idle source for what the slowest request of a file still has to bring; true when it did.</summary>
    private bool HedgeSlowest(FilePlan file)
    {
        if (file.InFlight.Count == 0 || (IsDivided(file) && WantsMore(file)) || Slowest(file) is not var (slowest, secondsLeft))
        {
            return false;
        }

        var isDivided = slowest.IsRange;
        var bytes = slowest.Window is { } window ? window.Outstanding.Count * slowest.BytesPerChunk : BytesOf(file.ChunkCount);
        var idle = SoonestSource(
            file,
            bytes,
            source =>
                IsIdle(source.State)
                && source.State != slowest.Source.State
                && HasSlot(file, source)
                && Has(file, source, slowest.Window)
        );
        if (idle is not var (source, seconds))
        {
            return false;
        }

        var hasRisk = !isDivided && !IsKnownToHave(source);
        if ((seconds * ClearlyFaster) + (hasRisk ? SecondsWorthARisk : ClearlyFasterSeconds) >= secondsLeft)
        {
            _nextHedgeLook = _now + _hedgeLookPeriod;
            return false;
        }

        if (isDivided)
        {
            var outstanding = slowest.Window!.Outstanding.Span();
            Send(
                file,
                source,
                slowest.Part is FetchPart.Window ? new FetchPart.Window(outstanding) : new FetchPart.HashRange(outstanding),
                slowest.Window
            );
        }
        else
        {
            // Two bodies whose chunks cannot be proven one by one would spoil each other.
            Cancel(slowest, $"{source.State.Id} is faster");
            file.Replacements++;
            Start(file, source);
        }

        return true;
    }

    /// <summary>The request with the latest expected end that no other hedges yet, and the seconds until then.</summary>
    private (PlannedRequest Request, double SecondsLeft)? Slowest(FilePlan file)
    {
        (PlannedRequest Request, double SecondsLeft)? slowest = null;
        var optimisticRate = OptimisticRateOf(file);
        foreach (var request in file.InFlight)
        {
            if (!CanBeHedged(request))
            {
                continue;
            }

            var seconds = SecondsToBring(request.Source.State.Load, 0, optimisticRate);
            if (slowest is null || seconds > slowest.Value.SecondsLeft)
            {
                slowest = (request, seconds);
            }
        }

        return slowest;
    }

    /// <summary>The catalog knows it of nodes; what a share or a stream has shows when it is asked.</summary>
    private static bool IsKnownToHave(FileSource source) =>
        source.HasBrought || source.Kind is SourceKind.Node or SourceKind.Leader;

    private static bool IsIdle(SourceState source) =>
        source.Condition == SourceCondition.Healthy && source.Load.InFlight.Count == 0;

    private static bool CanBeHedged(PlannedRequest request) =>
        request.AnsweredAt is not null
        && request.Window is not { Outstanding.IsEmpty: true }
        && (request.IsRange ? request.Window!.Requests.Count == 1 : request.File.Replacements < request.File.Sources.Count);
}
