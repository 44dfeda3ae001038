using System.Buffers.Text;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Reads the signed words of a node, and says why where they are not believed.</summary>
public delegate (SignedAnnouncement? Read, AnnouncementRefusal? Refused) ReadAnnouncement(string text);

/// <content>From and to what is sent.</content>
public sealed partial class GossipNews
{
    public GossipMessage ToMessage() =>
        new(
            Digest is { } digest ? TextOf(digest) : null,
            _peers?.ConvertAll(mention => mention.ToString()),
            _announcements?.ConvertAll(words => words.Text),
            _wanted?.ConvertAll(name => name.ToString()),
            Buckets is null ? null : TextOf(Buckets),
            _whole,
            IsComplete ? true : null,
            Probe?.ToString(),
            Reached
        );

    /// <summary>Reads a message; what is malformed in it is left out, and counted among the <see cref="Refusals"/>.</summary>
    /// <param name="message">As it came: any member of it may be null, or nonsense.</param>
    /// <param name="isTrusted">The one who signed it is trusted. Of another one the first announcement alone is read, which is his own.</param>
    /// <param name="read">Proves an announcement.</param>
    public static GossipNews From(GossipMessage message, bool isTrusted, ReadAnnouncement read)
    {
        var news = new GossipNews();
        foreach (var text in (message.Announcements ?? []).Take(isTrusted ? int.MaxValue : 1))
        {
            var (words, refused) = text is null ? default : read(text);
            if (words is not null)
            {
                news.TryAdd(words);
            }
            else
            {
                news.Refuse(refused ?? AnnouncementRefusal.Malformed);
            }
        }

        if (isTrusted)
        {
            news.Read(message);
        }

        return news;
    }

    private void Read(GossipMessage message)
    {
        foreach (var text in message.Peers ?? [])
        {
            Require(Mention.FromText(text) is { } mention && TryAdd(mention));
        }

        foreach (var text in message.Wanted ?? [])
        {
            Require(PeerName.FromText(text) is { } name && TryWant(name));
        }

        foreach (var bucket in message.Whole ?? [])
        {
            Require(bucket is >= 0 and < GossipDigest.Buckets && TryAddWhole(bucket));
        }

        if (message.Digest is { } digest && Require(DigestFrom(digest) is not null))
        {
            AddDigest(DigestFrom(digest)!.Value);
        }

        if (message.Buckets is { } buckets && Require(BucketsFrom(buckets) is not null))
        {
            AddBuckets(BucketsFrom(buckets)!);
        }

        if (message.Probe is { } probe && Require(PeerName.FromText(probe) is not null))
        {
            AddProbe(PeerName.FromText(probe)!);
        }

        if (message.Reached is { } reached)
        {
            AddReached(reached);
        }

        if (message.Complete is true)
        {
            AddComplete();
        }
    }

    private bool Require(bool isWellFormed)
    {
        if (!isWellFormed)
        {
            Refuse(AnnouncementRefusal.Malformed);
        }

        return isWellFormed;
    }

    private void Refuse(AnnouncementRefusal reason) => (_refusals ??= []).Add(reason);

    private static string TextOf(UInt128 digest)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, digest);
        return Base64Url.EncodeToString(bytes);
    }

    private static UInt128? DigestFrom(string text)
    {
        Span<byte> bytes = stackalloc byte[16];
        return TryDecode(text, bytes) ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : null;
    }

    private static string TextOf(uint[] buckets)
    {
        var bytes = new byte[buckets.Length * 4];
        for (var i = 0; i < buckets.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 * i), buckets[i]);
        }

        return Base64Url.EncodeToString(bytes);
    }

    private static uint[]? BucketsFrom(string text)
    {
        var bytes = new byte[GossipDigest.Buckets * 4];
        return TryDecode(text, bytes)
            ?
            [
                .. Enumerable
                    .Range(0, GossipDigest.Buckets)
                    .Select(i => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4 * i))),
            ]
            : null;
    }

    private static bool TryDecode(string text, Span<byte> bytes) =>
        Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == bytes.Length;
}
