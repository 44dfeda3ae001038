using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Planning;

/// <summary>One wanted file: what is missing of it, what is under way, and who has it.</summary>
internal sealed class FilePlan(PlannerEvent.FileWanted wanted, int windowChunks)
{
    /// <summary>Places of readers that are remembered; more readers than that wait for each other's windows.</summary>
    private const int MostPlaces = 16;

    private readonly List<long> _places = [];

    public FileKey Key => wanted.File;

    private FileWindows? _map;

    public long ChunkCount => wanted.ChunkCount;

    public TimeSpan? Deadline => wanted.Deadline;

    /// <summary>Files of a higher one get the next requests first.</summary>
    public int Priority { get; set; } = wanted.Priority;

    /// <summary>Other nodes that want it too.</summary>
    public int CompetingNodes { get; set; } = wanted.CompetingNodes;

    public bool HashesProven { get; set; } = wanted.HashesProven;

    /// <summary>The hashes came; what is on disk is being proven with them.</summary>
    public bool IsRevalidating { get; set; }

    /// <summary>Ranges of hashes from several sources were not right together: they come from one source now, who answers for them.</summary>
    public bool HasInvalidHashes { get; private set; }

    /// <summary>The whole content came in one body, and is proven.</summary>
    public bool IsProven { get; set; }

    /// <summary>What is missing and not asked for: chunks, or hashes of chunks while these come in ranges.</summary>
    public ChunkRanges Unstarted { get; private set; } = RangesOf(wanted.Missing);

    /// <summary>Windows that were asked for and are not all here.</summary>
    public List<WindowPlan> Windows { get; } = [];

    /// <summary>All its requests in flight.</summary>
    public List<PlannedRequest> InFlight { get; } = [];

    public List<FileSource> Sources { get; } = new(wanted.Sources.Count);

    /// <summary>Sources download it too: it is taken from them, in no order, and passed on to them.</summary>
    public bool IsShared { get; set; }

    /// <summary>Its windows are taken where they are, not one after the other.</summary>
    public bool IsInMap => HashesProven && IsShared;

    /// <summary>Its windows, made when they are first asked for.</summary>
    public FileWindows Map => _map ??= MapOf();

    /// <summary>A source was asked for something since the lane has it: an attempt in which nobody was asked is none.</summary>
    public bool HasAsked { get; set; }

    /// <summary>Bytes asked for, for fairness: the file with the least is next.</summary>
    public long BytesServed { get; set; }

    /// <summary>Since when it waits in its lane with nothing in flight and nobody to ask.</summary>
    public TimeSpan? WaitsSince { get; set; }

    /// <summary>How often its whole body or its hashes were taken from one source and asked of another.</summary>
    public int Replacements { get; set; }

    /// <summary>Without proven hashes nothing counts before all of it is here.</summary>
    public bool IsComplete => IsProven || (HasNothingLeft && (HashesProven || ChunkCount == 0));

    public bool HasNothingLeft => Unstarted.IsEmpty && Windows.Count == 0;

    public void HashesKnown(IReadOnlyList<ChunkRange> missing)
    {
        HashesProven = true;
        IsRevalidating = false;
        Unstarted = RangesOf(missing);
        _map?.Look(Unstarted, 0, ChunkCount);
    }

    public void HashesInvalid()
    {
        HasInvalidHashes = true;
        IsRevalidating = false;
        Unstarted = RangesOf(wanted.Missing);
    }

    public FileSource? SourceOf(SourceId id) => Sources.Find(source => source.State.Id == id);

    /// <summary>A reader waits for a chunk: from there on windows are started first.</summary>
    public void Await(long chunk)
    {
        // Places from which the same window comes next are one.
        var next = Unstarted.FirstFrom(chunk);
        _places.RemoveAll(place => Unstarted.FirstFrom(place) == next);
        _places.Insert(0, chunk);
        if (_places.Count > MostPlaces)
        {
            _places.RemoveAt(MostPlaces);
        }
    }

    /// <summary>Takes the next window out of what is not started: where readers wait, in turn, else the first.</summary>
    public WindowPlan StartWindow(int maxChunks, out ChunkRange chunks)
    {
        chunks = FirstAwaited() is { } first ? Unstarted.TakeFrom(first, maxChunks) : Unstarted.TakeFirst(maxChunks);
        return Start(chunks);
    }

    /// <summary>Takes what is not started of one window.</summary>
    public WindowPlan StartSharedWindow(int window, out ChunkRange chunks)
    {
        var all = Map.ChunksOf(window);
        var first = Unstarted.FirstFrom(all.First)!.Value;
        chunks = Unstarted.TakeFrom(first, (int)(all.End - first));
        return Start(chunks);
    }

    /// <summary>Takes all that is not started, for one body that has everything.</summary>
    public WindowPlan StartAll()
    {
        var outstanding = Unstarted;
        Unstarted = new ChunkRanges();
        _map?.Look(Unstarted, 0, ChunkCount);
        return Start(outstanding);
    }

    /// <summary>Takes back what is open of a window that nobody brings any more.</summary>
    public void Return(WindowPlan window)
    {
        Windows.Remove(window);
        Unstarted.Add(window.Outstanding);
        if (HashesProven)
        {
            Map.Return(window.Outstanding);
            Map.Look(Unstarted, window.Outstanding.Span().First, window.Outstanding.Span().End);
        }
    }

    private WindowPlan Start(ChunkRange chunks)
    {
        _map?.Look(Unstarted, chunks.First, chunks.End);
        var outstanding = new ChunkRanges();
        outstanding.Add(chunks.First, chunks.End);
        return Start(outstanding);
    }

    /// <summary>The first chunk that is not started behind the place whose turn it is, which goes behind the others.</summary>
    public long? FirstAwaited()
    {
        while (_places is [var place, ..])
        {
            _places.RemoveAt(0);
            if (Unstarted.FirstFrom(place) is { } first)
            {
                _places.Add(place);
                return first;
            }
        }

        return null;
    }

    private WindowPlan Start(ChunkRanges outstanding)
    {
        var window = new WindowPlan(outstanding);
        Windows.Add(window);
        return window;
    }

    private FileWindows MapOf()
    {
        var map = new FileWindows(ChunkCount, windowChunks);
        map.Look(Unstarted, 0, ChunkCount);
        return map;
    }

    private static ChunkRanges RangesOf(IReadOnlyList<ChunkRange> missing)
    {
        var ranges = new ChunkRanges();
        foreach (var range in missing)
        {
            ranges.Add(range.First, range.End);
        }

        return ranges;
    }
}
