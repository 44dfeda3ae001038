using System.Diagnostics.Metrics;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Who is there, and what it costs to know that.</summary>
public sealed class GossipMetrics : IDisposable
{
    /// <summary>Of a peer that is not trusted, whatever else it is.</summary>
    private const string Untrusted = "untrusted";

    private static readonly Meter _ofAll = new("FileTransfer.Cluster");
    private static readonly Counter<long> _rounds = Counter("rounds", "Rounds of gossip that this node began");
    private static readonly Counter<long> _messages = Counter("messages", "Messages of gossip, requests and answers");
    private static readonly Counter<long> _bytes = Counter("bytes", "Bytes of the bodies of these");
    private static readonly Counter<long> _refused = Counter("refused", "Announcements and messages that were not believed");
    private static readonly Counter<long> _suspicions = Counter("suspicions", "Times that a peer began to be suspected");
    private static readonly Counter<long> _refutations = Counter("refutations", "Suspected or dead peers that showed themselves");

    private static readonly string[] _states =
    [
        .. Enum.GetValues<PeerStatus>().Select(status => $"{status}".ToLowerInvariant()),
        Untrusted,
    ];

    /// <summary>Why an announcement is not believed, and a message.</summary>
    private static readonly string[] _reasons =
    [
        .. Enum.GetValues<AnnouncementRefusal>().Select(refusal => $"{refusal}".ToLowerInvariant()),
        "rate",
        "signature",
    ];

    private readonly Meter _meter = new("FileTransfer.Cluster");

    internal GossipMetrics(Func<IReadOnlyList<PeerResource>> peers) =>
        _meter.CreateObservableGauge(
            "filetransfer.gossip.peers",
            () =>
            {
                var counts = peers().CountBy(peer => peer.Trusted ? peer.Status : Untrusted).ToDictionary();
                return _states.Select(state => new Measurement<long>(counts.GetValueOrDefault(state), Tag("state", state)));
            },
            null,
            "Peers that are known"
        );

    public static void Begin()
    {
        _rounds.Add(0);
        _suspicions.Add(0);
        _refutations.Add(0);
        Count(0, 0, "in");
        Count(0, 0, "out");
        foreach (var reason in _reasons)
        {
            _refused.Add(0, Tag("reason", reason));
        }
    }

    public void Dispose() => _meter.Dispose();

    internal static void Round() => _rounds.Add(1);

    internal static void Received(int bytes) => Count(1, bytes, "in");

    internal static void Sent(int bytes) => Count(1, bytes, "out");

    internal static void Refused(string reason) => _refused.Add(1, Tag("reason", reason));

    internal static void Changed(PeerStatus before, PeerStatus now)
    {
        _suspicions.Add(now == PeerStatus.Suspect && before != now ? 1 : 0);
        _refutations.Add(before is PeerStatus.Suspect or PeerStatus.Dead && now == PeerStatus.Alive ? 1 : 0);
    }

    private static void Count(int messages, int bytes, string direction)
    {
        _messages.Add(messages, Tag("direction", direction));
        _bytes.Add(bytes, Tag("direction", direction));
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static Counter<long> Counter(string name, string description) =>
        _ofAll.CreateCounter<long>($"filetransfer.gossip.{name}", null, description);
}
