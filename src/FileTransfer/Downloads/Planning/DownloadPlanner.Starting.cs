using FileTransfer.Chunks.Frames;

namespace FileTransfer.Downloads.Planning;

// Which file gets the next request.
public sealed partial class DownloadPlanner
{
    /// <summary>Sources with requests in flight.</summary>
    private int _connections;

    /// <summary>Requests in flight, as the sources count them.</summary>
    private int _requestsAtSources;

    /// <summary>Gets no more requests, so that a file whose sources are not connected gets its connection.</summary>
    private SourceState? _evicted;

    private void StartRequests()
    {
        _evicted = ChooseEviction();
        while (_requestsAtSources < _limits.Requests && HasRoomAtAnySource() && NextRequest() is var (file, source))
        {
            Start(file, source);
        }
    }

    /// <summary>Spares the look at each file where one source is busy for all of them.</summary>
    private bool HasRoomAtAnySource()
    {
        foreach (var source in _sources.Values)
        {
            if (
                source.Load.HasRoomFor(batchShare: 0, _limits.RequestsPerSource)
                || source.Load.HasRoomFor(batchShare: 1, _limits.RequestsPerSource)
            )
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>For the file of the highest priority, of these for the one that was served least; among equals for the one that came first.</summary>
    private (FilePlan File, FileSource Source)? NextRequest()
    {
        (FilePlan File, FileSource Source)? next = null;
        foreach (var file in _files)
        {
            if ((next is null || ComesBefore(file, next.Value.File)) && WantsMore(file) && ChooseSource(file) is { } source)
            {
                next = (file, source);
            }
        }

        return next;
    }

    private static bool ComesBefore(FilePlan file, FilePlan other) =>
        file.Priority > other.Priority || (file.Priority == other.Priority && file.BytesServed < other.BytesServed);

    /// <summary>
    /// What proves nothing by itself is asked for once: the whole, or all hashes. Windows, and ranges of hashes, come from several sources.
    /// </summary>
    private bool WantsMore(FilePlan file) =>
        !file.IsRevalidating
        && (
            IsDivided(file)
                ? !file.Unstarted.IsEmpty && !file.InFlight.Exists(request => !request.IsRange)
                : file.InFlight.Count == 0
        );

    private bool IsDivided(FilePlan file) => file.HashesProven || TakesHashesInRanges(file);

    private void Start(FilePlan file, FileSource source)
    {
        if (!file.HashesProven)
        {
            if (SendsOnlyWhole(file, source) || IsSmall(file))
            {
                Send(file, source, FetchPart.Whole.Instance, window: null);
            }
            else if (TakesHashesInRanges(file))
            {
                var range = file.StartWindow(_limits.HashChunks, out var hashes);
                Send(file, source, new FetchPart.HashRange(hashes), range);
            }
            else
            {
                Send(file, source, FetchPart.Hashes.Instance, window: null);
            }
        }
        else if (SendsOnlyWhole(file, source))
        {
            Send(file, source, FetchPart.Whole.Instance, file.StartAll());
        }
        else
        {
            var window = file.IsInMap
                ? file.StartSharedWindow(NextWindow(file, source), out var chunks)
                : file.StartWindow(WindowChunksOf(file, source.State), out chunks);
            Send(file, source, new FetchPart.Window(chunks), window);
        }
    }

    /// <summary>
    /// Several windows in one at a fast source. They become shorter towards the end of a file, so that its last requests end together, and no
    /// source has taken what another could bring.
    /// </summary>
    private int WindowChunksOf(FilePlan file, SourceState source)
    {
        var inTime = (source.Load.Rate.At(_now) ?? 0) * _limits.LongWindowTime.TotalSeconds / ChunkFrame.Length;
        var share = file.Unstarted.Count / (2 * file.Sources.Count);
        var longest = Math.Min(Math.Min(share, _limits.LongWindowChunks), inTime);
        return _limits.WindowChunks * Math.Max(1, (int)(longest / _limits.WindowChunks));
    }

    private void Send(FilePlan file, FileSource source, FetchPart part, WindowPlan? window)
    {
        var request = new PlannedRequest(new RequestId(++_lastRequest), file, source, part, _now) { Window = window };
        _requests.Add(request.Id, request);
        window?.Requests.Add(request);
        file.InFlight.Add(request);
        file.HasAsked = true;
        file.BytesServed += request.BytesLeft;
        source.InFlight++;
        _requestsAtSources -= source.State.Load.Requests;
        source.State.Load.Add(request);
        _requestsAtSources += source.State.Load.Requests;
        _connections += source.State.Load.InFlight.Count == 1 ? 1 : 0;
        Emit(new PlannerAction.Fetch(request.Id, source.State.Id, file.Key, part));
    }

    /// <summary>
    /// Files with many windows would keep their sources connected for ever. When all connections are taken and a file has none, the source
    /// that ends soonest makes room.
    /// </summary>
    private SourceState? ChooseEviction()
    {
        if (_connections < _limits.Connections || !_files.Exists(IsKeptOut))
        {
            return null;
        }

        return _evicted is { Load.InFlight.Count: > 0 }
            ? _evicted
            : _requests.Values.Select(request => request.Source.State).MinBy(source => source.Load.BytesInFlight);
    }

    private bool IsKeptOut(FilePlan file) =>
        file.InFlight.Count == 0
        && WantsMore(file)
        && file.Sources.Where(source => CanUse(file, source))
            .Select(source => source.State.Load.InFlight.Count)
            .DefaultIfEmpty(1)
            .Max() == 0;
}
