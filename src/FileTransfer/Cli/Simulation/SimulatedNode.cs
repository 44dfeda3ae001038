using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Serving;

namespace FileTransfer.Cli.Simulation;

/// <summary>A node of the simulated cluster: the real planner, the real admission, and a link.</summary>
internal sealed partial class SimulatedNode(SimulatedCluster cluster, int number)
{
    /// <summary>How long a killed node is away.</summary>
    public static readonly TimeSpan AwayFor = TimeSpan.FromSeconds(10);

    private readonly string _id = $"n{number}";
    private readonly ContentAdmission _admission = new(() => cluster.World.Up);

    public SourceHint Hint { get; } = new(new SourceId($"{number}"), number == 0 ? SourceKind.Leader : SourceKind.Node);

    public List<SimulatedFlow> Sending { get; } = [];

    public List<SimulatedFlow> Receiving { get; } = [];

    public bool IsThere { get; private set; } = true;

    public double BytesSent { get; set; }

    /// <summary>Requests that it refused because others were sent what was asked for.</summary>
    public long TurnedAway { get; private set; }

    private bool HasAll => number == 0 || StoredAt is not null;

    public void Account(ContentPermit? permit, long bytes, TimeSpan at) => _admission.Sent(permit, bytes, at);

    /// <summary>Admits a request for a part of the content; false when others are sent it.</summary>
    private bool TryServe(Request request, SimulatedNode asker)
    {
        if (!cluster.NeedsPermits)
        {
            return true;
        }

        var now = cluster.Time.Now;
        foreach (var flow in Sending)
        {
            flow.Settle(now);
        }

        request.Permit = _admission.TryAcquire(asker._id, SimulatedCluster.Content, PartOf(request.Fetch.Part), now);
        TurnedAway += request.Permit is null ? 1 : 0;
        return request.Permit is not null;
    }

    private ContentPart OfChunks(long first, long count) =>
        ContentPart.OfContent(
            first * ChunkFrame.Length,
            count * ChunkFrame.Length,
            cluster.ChunkCount * ChunkFrame.Length,
            cluster.World.Size
        );

    private ContentPart PartOf(FetchPart part) =>
        part switch
        {
            FetchPart.Window(var chunks) => OfChunks(chunks.First, chunks.Count),
            FetchPart.Whole => OfChunks(0, cluster.ChunkCount),
            FetchPart.HashRange(var hashes) => ContentPart.OfHashes(hashes.End == cluster.ChunkCount),
            _ => ContentPart.OfHashes(isEnd: true),
        };
}
