using FileTransfer.Catalog;
using FileTransfer.Chunks.Folder;

namespace FileTransfer.Cluster.Gossip;

/// <summary>What this node says of itself, made anew whenever it is not true any more, or half as old as it may be.</summary>
public sealed class OwnAnnouncement(ThisNode node, NodeKeyFile keys, Leadership leadership, Database database, TimeProvider time)
{
    private static readonly TimeSpan _bucketsPeriod = TimeSpan.FromSeconds(30);

    private long _generation = time.GetUtcNow().ToUnixTimeMilliseconds();
    private long _version;
    private IReadOnlyList<string> _buckets = [];
    private long? _bucketsReadAt;

    /// <summary>The next one.</summary>
    /// <param name="last">The last one; null where there is none.</param>
    /// <returns>Null where the last one says all that there is to say.</returns>
    public SignedAnnouncement? Next(Announcement? last)
    {
        var (now, own) = (time.GetUtcNow(), keys.Current);
        var sight = leadership.Sight;
        var next = new Announcement(
            node.Name,
            _generation,
            _version + 1,
            [node.Url],
            node.Role.ToString().ToLowerInvariant(),
            leadership.IsLeading,
            sight is { FeedEpoch: var epoch } && epoch != Guid.Empty ? epoch : null,
            _buckets,
            own.Public,
            own.Rotation,
            now,
            now + Announcement.Lifetime
        );
        if (last is not null && SaysTheSame(last, next) && now < last.IssuedAt + (Announcement.Lifetime / 2))
        {
            return null;
        }

        _version++;
        return AnnouncementText.Sign(next, own.Current);
    }

    /// <summary>Somebody knows one of an earlier run of this node that was made by a clock that was ahead.</summary>
    public void GoAbove(long generation) => (_generation, _version) = (Math.Max(_generation, generation) + 1, 0);

    /// <summary>Reads which buckets there are, once in a while.</summary>
    public async Task ReadBucketsAsync(CancellationToken cancellationToken)
    {
        if (!database.IsReady || (_bucketsReadAt is { } at && time.GetElapsedTime(at) < _bucketsPeriod))
        {
            return;
        }

        _bucketsReadAt = time.GetTimestamp();
        var buckets = await FileCatalog.BucketsAsync(database, Announcement.MostBuckets + 1, cancellationToken);
        _buckets = buckets.Count > Announcement.MostBuckets ? [] : [.. buckets.Select(bucket => bucket.ToString())];
    }

    private static bool SaysTheSame(Announcement one, Announcement other) =>
        one.Generation == other.Generation
        && one.Leads == other.Leads
        && one.FeedEpoch == other.FeedEpoch
        && one.Urls.SequenceEqual(other.Urls)
        && one.Buckets.SequenceEqual(other.Buckets)
        && one.Keys.SequenceEqual(other.Keys);
}
