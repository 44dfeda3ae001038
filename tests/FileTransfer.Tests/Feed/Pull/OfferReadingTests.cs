using FileTransfer.Contracts;
using FileTransfer.Feed;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Upstreams;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Feed.Pull;

/// <summary>An offer in which anything is wrong is rejected whole, with the value at fault.</summary>
public sealed class OfferReadingTests
{
    private static readonly Guid _epoch = new("0198a5d2-6f0e-7c3a-9b41-5d2f8e6a1c07");
    private static readonly FileMetadata _metadata = new(
        ByteString.FromUtf8("o"),
        ByteString.FromUtf8("b"),
        ByteString.FromUtf8("place"),
        3,
        ContentFingerprint.Of([1, 2, 3])
    );
    private static readonly FileKey _key = _metadata.ComputeKey();
    private static readonly short _bin = (short)_key.Bin;
    private static readonly FeedGap _gap = new(_bin, After: 7, Until: 9);

    [Fact]
    public void A_right_offer_is_a_page_with_metadata_and_origins()
    {
        var page = OfferReading.Read(Offer(Add(8), Remove(9)), _gap, _epoch);

        page.Last.ShouldBe(9);
        page.Mutations.Select(mutation => mutation.Kind).ShouldBe([MutationKind.Add, MutationKind.Remove]);
        page.Mutations[0].Details!.Metadata.ShouldBe(_metadata);
        page.Mutations[0].Details!.Origin.ShouldBe(new MutationOrigin("elsewhere", _epoch, 5));
    }

    public static TheoryData<string, SyncPage, string> WrongOffers =>
        new()
        {
            { "a gap", Offer(Add(8), Remove(10)), "after 8 comes 10" },
            { "unsorted", Offer(Remove(9), Add(8)), "after 7 comes 9" },
            { "nothing where the bin goes on", Offer(), "after 7 comes nothing" },
            { "the same page again", Offer(Add(8)) with { From = 7 }, "from 7" },
            { "another history", Offer(Add(8)) with { Epoch = Guid.Empty }, "another history" },
            { "another bin", Offer(Add(8)) with { Bin = (_bin + 1) % 16 }, "it offers bin" },
            { "a topmost below its last", Offer(Add(8), Remove(9)) with { Topmost = 8 }, "calls 8 its topmost" },
            { "a topmost lower than before", Offer(Add(8)) with { Topmost = 3 }, "calls 3 its topmost" },
            { "more than was asked for", Offer(Add(8), Remove(9), Add(10)), "up to 9, it offers up to 10" },
            { "a zero key", Offer(Add(8) with { Key = new string('0', 64) }), "the key of zeros" },
            { "no key", Offer(Add(8) with { Key = "xyz" }), "'xyz' is not a file key" },
            { "a key of another bin", Offer(Remove(8) with { Key = OfNextBin() }), "is not of bin" },
            { "another kind", Offer(Add(8) with { Kind = "move" }), "'move'" },
            { "no metadata", Offer(Add(8) with { Metadata = null }), "no right metadata" },
            { "metadata of another key", Offer(Add(8) with { Metadata = Described(size: 4) }), "does not hash to it" },
            { "metadata of no size", Offer(Add(8) with { Metadata = Described(size: 0) }), "no right metadata" },
            { "no origin", Offer(Add(8) with { Origin = null! }), "no right origin" },
            {
                "an origin in another bin",
                Offer(Add(8) with { Origin = Origin() with { Bin = (_bin + 1) % 16 } }),
                "no right origin"
            },
            { "no mutations", Offer(Add(8)) with { Mutations = null! }, "no mutations" },
        };

    [Theory]
    [MemberData(nameof(WrongOffers))]
    public void A_wrong_offer_is_rejected_whole(string what, SyncPage offer, string named)
    {
        var message = Should.Throw<UpstreamFaultException>(() => OfferReading.Read(offer, _gap, _epoch), what).Message;

        message.ShouldContain(named, Case.Sensitive, what);
    }

    [Fact]
    public void Cursors_of_a_cluster_with_this_ones_id_or_without_a_bin_are_refused()
    {
        var cursors = new SyncCursors(
            "up",
            _epoch,
            [.. Enumerable.Range(0, 16).Select(bin => new BinCursor(bin, bin, 1, _key.ToString()))]
        );

        OfferReading.Read(cursors, "here").Heads[7].ShouldBe(7);
        Should.Throw<UpstreamFaultException>(() => OfferReading.Read(cursors, "up")).Message.ShouldContain("'up'");
        var fewer = cursors with { Bins = [.. cursors.Bins.Skip(1)] };
        Should.Throw<UpstreamFaultException>(() => OfferReading.Read(fewer, "here")).Message.ShouldContain("15 bins");
        var below = cursors with { Bins = [cursors.Bins[0] with { Cursor = -1 }, .. cursors.Bins.Skip(1)] };
        Should.Throw<UpstreamFaultException>(() => OfferReading.Read(below, "here")).Message.ShouldContain("bin 0");
    }

    private static string OfNextBin() => $"{(_bin + 1) % 16:x}" + _key.ToHex()[1..];

    private static SyncPage Offer(params SyncMutation[] mutations) =>
        new(_epoch, _bin, 8, mutations.Length > 0 ? mutations[^1].Sequence : 7, mutations);

    private static SyncMutation Add(long sequence) =>
        new(sequence, SyncMutation.Add, _key.ToString(), FileRegistration.Of(_metadata), Origin(), default);

    private static SyncMutation Remove(long sequence) => Add(sequence) with { Kind = SyncMutation.Remove, Metadata = null };

    private static FileRegistration Described(ulong size) => FileRegistration.Of(_metadata) with { Size = size };

    private static SyncOrigin Origin() => new("elsewhere", _epoch, _bin, 5);
}
