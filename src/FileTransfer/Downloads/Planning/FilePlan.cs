using FileTransfer.Chunks;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Planning;

/// <summary>One wanted file: what is missing of it, what is under way, and who has it.</summary>
internal sealed class FilePlan(PlannerEvent.FileWanted wanted, TimeSpan now)
{
    public FileKey Key => wanted.File;

    public long ChunkCount => wanted.ChunkCount;

    public TimeSpan WantedAt => now;

    public TimeSpan? Deadline => wanted.Deadline;

    /// <summary>Other nodes that want it too.</summary>
    public int Contenders { get; set; } = wanted.Contenders;

    public bool HashesProven { get; set; } = wanted.HashesProven;

    /// <summary>The hashes came; what is on disk is being proven with them.</summary>
    public bool IsReproving { get; set; }

    /// <summary>Ranges of hashes from several sources were not right together: they come from one source now, who answers for them.</summary>
    public bool HasRefutedHashes { get; private set; }

    /// <summary>The whole content came in one body, and is proven.</summary>
    public bool IsProven { get; set; }

    /// <summary>What is missing and not asked for: chunks, or hashes of chunks while these come in ranges.</summary>
    public ChunkRanges Unstarted { get; private set; } = RangesOf(wanted.Missing);

    /// <summary>Windows that were asked for and are not all here.</summary>
    public List<WindowPlan> Windows { get; } = [];

    /// <summary>All its requests in flight.</summary>
    public List<PlannedRequest> InFlight { get; } = [];

    public List<FileSource> Sources { get; } = new(wanted.Sources.Count);

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

    public long MissingChunks
    {
        get
        {
            if (!HashesProven)
            {
                return ChunkCount;
            }

            var chunks = Unstarted.Count;
            foreach (var window in Windows)
            {
                chunks += window.Open.Count;
            }

            return chunks;
        }
    }

    public void HashesKnown(IReadOnlyList<ChunkRange> missing)
    {
        HashesProven = true;
        IsReproving = false;
        Unstarted = RangesOf(missing);
    }

    public void HashesRefuted()
    {
        HasRefutedHashes = true;
        IsReproving = false;
        Unstarted = RangesOf(wanted.Missing);
    }

    public FileSource? SourceOf(SourceId id)
    {
        foreach (var source in Sources)
        {
            if (source.State.Id == id)
            {
                return source;
            }
        }

        return null;
    }

    /// <summary>Takes the next window out of what is not started.</summary>
    public WindowPlan StartWindow(int maxChunks, out ChunkRange chunks)
    {
        chunks = Unstarted.TakeFirst(maxChunks);
        var open = new ChunkRanges();
        open.Add(chunks.First, chunks.End);
        return Start(open);
    }

    /// <summary>Takes all that is not started, for one body that has everything.</summary>
    public WindowPlan StartAll()
    {
        var open = Unstarted;
        Unstarted = new ChunkRanges();
        return Start(open);
    }

    /// <summary>Takes back what is open of a window that nobody brings any more.</summary>
    public void Return(WindowPlan window)
    {
        Windows.Remove(window);
        Unstarted.Add(window.Open);
    }

    private WindowPlan Start(ChunkRanges open)
    {
        var window = new WindowPlan(open);
        Windows.Add(window);
        return window;
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
