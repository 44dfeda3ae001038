using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Planning;

// What holds after every event.
public sealed partial class DownloadPlanner
{
    /// <summary>Throws when the planner contradicts itself. For tests: it looks at everything.</summary>
    /// <exception cref="InvalidOperationException">It does; the message says where.</exception>
    public void CheckInvariants()
    {
        Holds(_files.Count == _fileOf.Count, "every file is there once");
        Holds(_requests.Count == _files.Sum(file => file.InFlight.Count), "a request is of a wanted file");
        Holds(_requests.Count == _sources.Values.Sum(source => source.Load.InFlight.Count), "a request is at a known source");
        Holds(_requestsAtSources == _sources.Values.Sum(source => source.Load.Requests), "requests at sources are counted");
        Holds(_connections == _sources.Values.Count(source => source.Load.InFlight.Count > 0), "connections are counted");
        Holds(!_requests.Values.Any(IsSilent), "a source that is silent is not waited for");
        Holds(
            _sources.Values.All(source => source.Load.BytesInFlight == source.Load.InFlight.Sum(request => request.BytesLeft)),
            "what sources still have to bring is counted"
        );
        foreach (var source in _sources.Values)
        {
            CheckStrikes(source);
        }

        foreach (var file in _files)
        {
            CheckFile(file);
        }
    }

    private void CheckStrikes(SourceState source)
    {
        Holds(source.PausedUntil - _now <= _limits.LongestRetryAfter, "no source is left alone for longer than the longest time");
        if (source.Strikes is { } strikes)
        {
            Holds(
                strikes.DemotedUntil - _now <= _limits.LongestDemotion,
                "no source is demoted for longer than the longest time"
            );
            Holds(
                _files.TrueForAll(file => strikes.BackoffOf(file.Key, _now) <= _limits.LongestStrikeBackoff),
                "strikes about a file end in time"
            );
        }
    }

    private void CheckFile(FilePlan file)
    {
        Holds(
            CanUseAny(file) || HasTrustedSource(file) || !file.Sources.Exists(source => IsFree(file, source)),
            "the last source is not shut out"
        );
        Holds(file.InFlight.Count > 0 || !file.IsComplete, "a complete file is finished");
        Holds(file.Deadline is not { } deadline || deadline > _now, "a file past its deadline is given up");
        Holds(
            IsServed(file) || file.Sources.Exists(source => IsWorthWaitingFor(file, source)),
            "a file in a lane has something to wait for"
        );
        Holds(
            file.InFlight.Count > 0 || file.IsRevalidating || _requests.Count > 0 || NextTick is not null,
            "a file waits for something that comes"
        );
        Holds(
            file.InFlight.Count <= 1 || file.InFlight.TrueForAll(request => request.IsRange),
            "what proves nothing by itself is asked for once"
        );
        Holds(
            file.InFlight.TrueForAll(request => request.Part is not FetchPart.Window || file.HashesProven),
            "windows are asked for when hashes are proven"
        );
        Holds(
            file.InFlight.TrueForAll(request => request.Part is not FetchPart.HashRange || !file.HashesProven),
            "hashes are asked for until they are proven"
        );
        Holds(!file.IsRevalidating || file.InFlight.Count == 0, "nothing comes while hashes are proven");

        CheckMap(file);
        var missing = new ChunkRanges();
        missing.Add(file.Unstarted);
        foreach (var window in file.Windows)
        {
            var before = missing.Count;
            missing.Add(window.Outstanding);
            Holds(missing.Count == before + window.Outstanding.Count, "a chunk is in one window");
            Holds(!window.Outstanding.IsEmpty, "a window that is here is forgotten");
            Holds(window.Requests.Count is 1 or 2, "a window is brought by one source, or by two of which one hedges");
            Holds(
                window.Requests.DistinctBy(request => request.Source).Count() == window.Requests.Count,
                "a source does not hedge itself"
            );
            Holds(window.Requests.TrueForAll(file.InFlight.Contains), "who brings a window is in flight");
        }

        foreach (var request in file.InFlight)
        {
            Holds(_requests.ContainsKey(request.Id), "a request in flight is known");
            Holds(request.Source.State.Load.InFlight.Contains(request), "a request is counted at its source");
            Holds(request.Came <= request.Count, "no more comes than was asked for");
            Holds(request.Source.Loss == SourceLoss.None, "a lost source is not asked");
            Holds(request.Source.Kind != SourceKind.Stream || request.Part is FetchPart.Whole, "a stream is asked for the whole");
        }

        foreach (var source in file.Sources)
        {
            Holds(
                source.InFlight == file.InFlight.Count(request => request.Source == source),
                "requests at a source are counted"
            );
        }
    }

    /// <summary>What is known of windows is what is so.</summary>
    private static void CheckMap(FilePlan file)
    {
        if (!file.IsInMap)
        {
            return;
        }

        var partial = file.Sources.FindAll(source => source.Parts is not null);
        for (var window = 0; window < file.Map.Count; window++)
        {
            var chunks = file.Map.ChunksOf(window);
            Holds(
                file.Map.Unstarted.Contains(window) == file.Unstarted.Overlaps(chunks.First, chunks.End),
                "a window of which something is not started is known"
            );
            Holds(
                file.Map.CopiesOf(window) == partial.Count(source => source.Parts!.StateOf(window) != PartState.Missing),
                "copies of a window are counted"
            );
        }
    }

    /// <summary>Nothing but trust can keep it from being asked: nor hope for a source that sends ranges, while it sends only the whole, nor what it has of a file.</summary>
    private bool IsFree(FilePlan file, FileSource source) =>
        source is { IsCandidate: true, Kind: SourceKind.Node or SourceKind.Share, State.Condition: SourceCondition.Healthy }
        && source.BusyUntil <= _now
        && source.RetryAt <= _now
        && source.State.PausedUntil <= _now
        && (!SendsOnlyWhole(file, source) || IsSmall(file))
        && HasNextPart(file, source)
        && file.InFlight.Count == 0;

    private static void Holds(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"Not true of the plan: {what}.");
        }
    }
}
