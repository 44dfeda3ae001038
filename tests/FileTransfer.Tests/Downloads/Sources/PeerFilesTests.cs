using System.Security.Cryptography;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Downloads.Sources;

/// <summary>Whom of the peers a file is asked for.</summary>
public sealed class PeerFilesTests : IDisposable
{
    private static readonly BucketId _bucket = Bucket("aa");

    private readonly LivePeers _peers = new();
    private readonly SourceAttemptHistory _history = new(TimeProvider.System);
    private readonly PeerFiles _files;

    public PeerFilesTests() => _files = new PeerFiles(_peers, _history);

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Of_many_peers_a_file_asks_four_and_always_the_same()
    {
        _peers.Set([.. Enumerable.Range(0, 40).Select(i => Peer($"n{i}"))]);

        var asked = Ask(1);

        asked.Count.ShouldBe(PeerFiles.MostAsked);
        Ask(1).ShouldBe(asked);
        Enumerable.Range(1, 20).SelectMany(Ask).Distinct().Count().ShouldBeGreaterThan(10, "files do not all ask the same");
    }

    [Fact]
    public void Peers_that_announce_the_bucket_are_asked_first_and_who_has_the_file_before_them()
    {
        _peers.Set([.. Enumerable.Range(0, 9).Select(i => Peer($"n{i}", "bb")), Peer("announces", "aa"), Peer("has", "bb")]);
        _files.Note(Name("has"), Key(1), has: true);

        Ask(1).Take(2).ShouldBe(["has", "announces"]);
    }

    [Fact]
    public void Who_said_that_he_has_it_not_is_not_asked_again_at_once()
    {
        _peers.Set([Peer("n1"), Peer("n2")]);
        _history.Record(new FailedRequest(Key(1), NodeSource.IdOf(Name("n1")).Value, SourceFaultKind.NotFound, "has it not", 0));

        Ask(1).ShouldBe(["n2"]);
        Ask(2).Count.ShouldBe(2);
    }

    [Fact]
    public void A_small_file_that_others_have_is_asked_only_of_peers_that_said_they_have_it()
    {
        _peers.Set([Peer("n1", "aa"), Peer("n2", "aa")]);
        _files.Note(Name("n2"), Key(1), has: true);

        Names(_files.WorthAsking(Key(1), _bucket, isLarge: false, isElsewhere: true)).ShouldBe(["n2"]);
    }

    [Fact]
    public void A_large_file_that_others_have_is_asked_also_of_peers_that_announce_its_bucket()
    {
        _peers.Set([Peer("n1", "aa"), Peer("n2", "bb"), Peer("n3")]);

        Names(_files.WorthAsking(Key(1), _bucket, isLarge: true, isElsewhere: true)).ShouldBe(["n1", "n3"]);
    }

    private static FileKey Key(int file) => new(SHA256.HashData([(byte)file]));

    private static PeerName Name(string node) => new("other", new NodeId(node));

    private static LivePeer Peer(string node, params string[] buckets) =>
        new(Name(node), new Uri("http://192.0.2.1"), "1", buckets.Select(bucket => Bucket(bucket).ToString()).ToHashSet(), null!);

    private static BucketId Bucket(string hex) => BucketId.TryParse(hex, out var bucket) ? bucket : default;

    private static IReadOnlyList<string> Names(IReadOnlyList<LivePeer> peers) => [.. peers.Select(peer => peer.Name.Node.Value)];

    private IReadOnlyList<string> Ask(int file) =>
        Names(_files.WorthAsking(Key(file), _bucket, isLarge: false, isElsewhere: false));
}
