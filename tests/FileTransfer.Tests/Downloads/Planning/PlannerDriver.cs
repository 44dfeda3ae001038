using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Downloads.Planning;

/// <summary>Tells a planner events by hand, keeps its time, and remembers what it asked for.</summary>
internal sealed class PlannerDriver(PlannerLimits? limits = null, int seed = 1)
{
    public const int WindowChunks = 4096;

    private readonly List<PlannerAction> _all = [];

    public DownloadPlanner Planner { get; } = new(limits ?? PlannerLimits.Default, new Random(seed));

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(100);

    /// <summary>What the last event, or the last while, led to.</summary>
    public List<PlannerAction> Last { get; } = [];

    /// <summary>Fetches that were neither cancelled nor ended.</summary>
    public List<PlannerAction.Fetch> InFlight { get; } = [];

    public IReadOnlyList<PlannerAction> All => _all;

    public static FileKey Key(int number)
    {
        Span<byte> bytes = stackalloc byte[32];
        BitConverter.TryWriteBytes(bytes, number);
        return new FileKey(bytes);
    }

    public static SourceHint Node(string name) => new(new SourceId($"node {name}"), SourceKind.Node);

    public static SourceHint Leader(string name) => new(new SourceId($"node {name}"), SourceKind.Leader);

    /// <summary>A node that downloads the file too.</summary>
    public static SourceHint Partial(string name) => new(new SourceId($"node {name}"), SourceKind.Node, IsPartial: true);

    public static SourceHint Share(string name) => new(new SourceId($"share {name}"), SourceKind.Share);

    public static SourceHint Stream(string name) => new(new SourceId($"node {name}"), SourceKind.Stream);

    public IReadOnlyList<PlannerAction> Tell(PlannerEvent happened)
    {
        Last.Clear();
        Hand(happened);
        return Last;
    }

    /// <summary>A file of so many chunks, of which all are missing or the given ones.</summary>
    public FileKey Want(
        int number,
        long chunks,
        SourceHint[] sources,
        bool hashesProven = false,
        int competingNodes = 0,
        ChunkRange[]? missing = null,
        TimeSpan? deadline = null
    )
    {
        var key = Key(number);
        Tell(
            new PlannerEvent.FileWanted(
                key,
                chunks,
                missing ?? [new ChunkRange(0, (int)chunks)],
                hashesProven,
                sources,
                competingNodes,
                deadline
            )
        );
        return key;
    }

    /// <summary>Makes sources known and up with a file that is dropped again.</summary>
    public void BringUp(params SourceHint[] sources)
    {
        var key = Want(int.MaxValue, 1, sources);
        foreach (var source in sources)
        {
            Answer(source);
        }

        Tell(new PlannerEvent.FileDropped(key));
        Last.Clear();
    }

    public void Answer(SourceHint source) => Tell(new PlannerEvent.ProbeAnswered(source.Id));

    public void Silence(SourceHint source, string reason = "refused the connection") =>
        Tell(new PlannerEvent.ProbeFailed(source.Id, reason));

    public void Came(PlannerAction.Fetch fetch, int chunks) => Tell(new PlannerEvent.ChunksProven(fetch.Request, chunks));

    public void Done(PlannerAction.Fetch fetch) => Tell(new PlannerEvent.RequestDone(fetch.Request));

    public void Fail(PlannerAction.Fetch fetch, SourceFaultKind kind, TimeSpan? retryAfter = null) =>
        Tell(new PlannerEvent.RequestFailed(fetch.Request, kind, $"{fetch.Source} failed ({kind})", retryAfter));

    public void HashesKnown(FileKey key, params ChunkRange[] missing) => Tell(new PlannerEvent.HashesKnown(key, missing));

    /// <summary>Lets time pass, with every tick that is due in it. <see cref="Last"/> has all that it led to.</summary>
    public void Pass(double milliseconds)
    {
        Last.Clear();
        var end = Now + TimeSpan.FromMilliseconds(milliseconds);
        while (Planner.NextTick is { } tick && tick <= end)
        {
            Now = tick;
            Hand(PlannerEvent.Tick.Instance);
        }

        Now = end;
    }

    /// <summary>Sends a window, evenly, in a time.</summary>
    public void Send(PlannerAction.Fetch fetch, double milliseconds, int pieces = 8)
    {
        var chunks = WindowOf(fetch).Count;
        Tell(new PlannerEvent.RequestAnswered(fetch.Request));
        for (var piece = 0; piece < pieces; piece++)
        {
            Pass(milliseconds / pieces);
            Came(fetch, (chunks * (piece + 1) / pieces) - (chunks * piece / pieces));
        }

        Done(fetch);
    }

    public static ChunkRange WindowOf(PlannerAction.Fetch fetch) => fetch.Part.ShouldBeOfType<FetchPart.Window>().Chunks;

    public T Only<T>()
        where T : PlannerAction => Last.OfType<T>().ShouldHaveSingleItem();

    public PlannerAction.Fetch OnlyFetch() => Only<PlannerAction.Fetch>();

    private void Hand(PlannerEvent happened)
    {
        if (happened is PlannerEvent.RequestDone or PlannerEvent.RequestFailed)
        {
            var ended = (happened as PlannerEvent.RequestDone)?.Request ?? ((PlannerEvent.RequestFailed)happened).Request;
            InFlight.RemoveAll(fetch => fetch.Request == ended);
        }

        foreach (var action in Planner.Handle(happened, Now))
        {
            Last.Add(action);
            _all.Add(action);
            switch (action)
            {
                case PlannerAction.Fetch fetch:
                    InFlight.Add(fetch);
                    break;
                case PlannerAction.Cancel cancel:
                    InFlight.RemoveAll(fetch => fetch.Request == cancel.Request);
                    break;
            }
        }

        Planner.CheckInvariants();
    }
}
