using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Downloads.Planning;

/// <summary>A file as the world knows it: what is on disk, who has it, and what they said.</summary>
internal sealed class WorldFile(FileKey key, int chunkCount)
{
    private bool _wholeCame;

    public FileKey Key => key;

    public int ChunkCount => chunkCount;

    public bool[] Proven { get; } = new bool[chunkCount];

    public bool HashesProven { get; private set; }

    public bool IsRevalidating { get; set; }

    public bool HashesCameInRanges { get; set; }

    public bool HashesWereRefuted { get; private set; }

    public bool IsWanted { get; set; }

    public bool HasLocalFault { get; set; }

    public int TimesFinished { get; private set; }

    public List<SourceHint> Sources { get; private set; } = [];

    /// <summary>Other nodes that download it too.</summary>
    public int CompetingNodes { get; set; }

    /// <summary>What sources that download it too have said that they have.</summary>
    public Dictionary<SourceId, Dictionary<int, PartState>> Parts { get; } = [];

    public TimeSpan? Deadline { get; private set; }

    /// <summary>When something last happened to it, so that it may wait anew.</summary>
    public TimeSpan ChangedAt { get; set; }

    /// <summary>Something of it was in flight, or could have been.</summary>
    public bool IsServed { get; set; }

    public HashSet<SourceId> NotFoundAt { get; } = [];

    /// <summary>Who sent wrong bytes of it since the lane has it.</summary>
    public HashSet<SourceId> LiedAt { get; } = [];

    /// <summary>Whose chunk hashes were wrong or missing since the lane has it.</summary>
    public HashSet<SourceId> HashesLackAt { get; } = [];

    /// <summary>A request of it has begun since the lane has it.</summary>
    public bool WasAsked { get; set; }

    public Dictionary<SourceId, TimeSpan> BusyUntil { get; } = [];

    public TimeSpan LastBusyUntil { get; private set; }

    public bool IsComplete => _wholeCame || chunkCount == 0 || (HashesProven && !Proven.Contains(false));

    public void Want(List<SourceHint> sources, TimeSpan now, TimeSpan? deadline)
    {
        IsWanted = true;
        IsRevalidating = false;
        HashesCameInRanges = false;
        HashesWereRefuted = false;
        IsServed = false;
        Sources = sources;
        Deadline = deadline;
        ChangedAt = now;
        NotFoundAt.Clear();
        LiedAt.Clear();
        HashesLackAt.Clear();
        BusyUntil.Clear();
        Parts.Clear();
        WasAsked = false;
    }

    public void ChangeSources(List<SourceHint> sources, TimeSpan now)
    {
        Sources = sources;
        ChangedAt = now;
        foreach (var gone in NotFoundAt.Concat(BusyUntil.Keys).Where(id => !sources.Exists(hint => hint.Id == id)).ToList())
        {
            NotFoundAt.Remove(gone);
            BusyUntil.Remove(gone);
        }
    }

    /// <param name="isShared">Others want it too: it is asked for other windows meanwhile.</param>
    public void Busy(SourceId source, TimeSpan until, bool isShared)
    {
        if (!isShared)
        {
            BusyUntil[source] = until;
        }

        LastBusyUntil = until > LastBusyUntil ? until : LastBusyUntil;
    }

    /// <summary>The hashes turn out to prove some of what is on disk.</summary>
    public void VerifyHashes()
    {
        IsRevalidating = false;
        HashesProven = true;
        for (var chunk = 0; chunk < chunkCount; chunk += 5)
        {
            Proven[chunk] = true;
        }
    }

    /// <summary>Somebody who sent some of them lied.</summary>
    public void RefuteHashes()
    {
        IsRevalidating = false;
        HashesCameInRanges = false;
        HashesWereRefuted = true;
    }

    public void WholeCame() => _wholeCame = true;

    /// <summary>It is stored, removed, and not here again.</summary>
    public void Finish()
    {
        TimesFinished++;
        _wholeCame = false;
        HashesProven = false;
        Array.Clear(Proven);
    }

    public List<ChunkRange> Missing()
    {
        if (!HashesProven)
        {
            return chunkCount == 0 ? [] : [new ChunkRange(0, chunkCount)];
        }

        var missing = new List<ChunkRange>();
        for (var first = Array.IndexOf(Proven, false); first >= 0; )
        {
            var end = Array.IndexOf(Proven, true, first);
            end = end < 0 ? chunkCount : end;
            missing.Add(new ChunkRange(first, end - first));
            first = Array.IndexOf(Proven, false, end);
        }

        return missing;
    }
}

/// <summary>A source as the world knows it.</summary>
internal sealed class WorldSource
{
    /// <summary>It asked to be left alone until then.</summary>
    public TimeSpan PausedUntil { get; set; }

    public bool HasEverAnswered { get; set; }

    /// <summary>It answered a range with something else.</summary>
    public bool LacksRanges { get; set; }

    public bool IsProbed { get; set; }

    public TimeSpan ProbedAt { get; set; }

    /// <summary>A file was parked that may wait for it.</summary>
    public bool IsAwaited { get; set; }
}

/// <summary>A request in flight.</summary>
internal sealed class WorldRequest(PlannerAction.Fetch fetch, WorldFile file)
{
    public RequestId Id => fetch.Request;

    public SourceId Source => fetch.Source;

    public WorldFile File => file;

    public ChunkRange Chunks { get; } =
        fetch.Part switch
        {
            FetchPart.Window(var chunks) => chunks,
            FetchPart.HashRange(var chunks) => chunks,
            _ => new ChunkRange(0, file.ChunkCount),
        };

    /// <summary>What it takes of a delivery; 0 where it is a request of its own.</summary>
    public int DeliveryShare { get; } =
        fetch.Part is FetchPart.Whole
        && file.Sources.Find(hint => hint.Id == fetch.Source).Kind is SourceKind.Leader or SourceKind.Node
            ? FileTransfer.Downloads.Planning.BatchWeight.Of(file.ChunkCount * 1024)
            : 0;

    public bool IsOfHashes => fetch.Part is FetchPart.Hashes or FetchPart.HashRange;

    public bool IsRange => fetch.Part is FetchPart.Window or FetchPart.HashRange;

    public bool IsHashRange => fetch.Part is FetchPart.HashRange;

    public int Came { get; private set; }

    public bool IsAnswered { get; set; }

    public bool Overlaps(ChunkRange other) =>
        fetch.Part is FetchPart.Window or FetchPart.HashRange && Chunks.First + Came < other.End && other.First < Chunks.End;

    public void Bring(int count)
    {
        IsAnswered = true;
        if (fetch.Part is FetchPart.Window || (fetch.Part is FetchPart.Whole && file.HashesProven))
        {
            file.Proven.AsSpan((int)Chunks.First + Came, count).Fill(true);
        }

        Came += count;
    }

    public void End()
    {
        switch (fetch.Part)
        {
            case FetchPart.Window:
                Bring(Chunks.Count - Came);
                break;
            case FetchPart.Whole:
                file.WholeCame();
                break;
            case FetchPart.Hashes:
                file.IsRevalidating = true;
                break;
        }
    }
}
