using FileTransfer.Feed.Pull;

namespace FileTransfer.Feed.Push;

/// <summary>How the followers are, in words and numbers.</summary>
public sealed class FollowerList(Shipper shipper, ShippedFeed feed, FollowerTable table, TimeProvider time)
{
    /// <param name="name">Null = all.</param>
    public async Task<IReadOnlyList<FollowerResource>> ReadAsync(string? name, CancellationToken cancellationToken)
    {
        var rows = await table.ReadAsync(name, cancellationToken);
        if (rows.Count == 0)
        {
            return [];
        }

        var lags = (await table.LagsAsync(name, cancellationToken)).ToDictionary(lag => lag.Follower);
        var positions = (await table.PositionsAsync(name, cancellationToken)).ToLookup(bin => bin.Follower);
        var shipped = shipper.Followers.ToDictionary(follower => follower.Row.Name);
        var followers = new List<FollowerResource>();
        var ofBuckets = new Dictionary<string, OfferedCursors>();
        foreach (var row in rows)
        {
            // One that was just set is not shipped to yet.
            var follower =
                shipped.GetValueOrDefault(row.Name) is { } known && known.IsOf(row)
                    ? known
                    : new Follower(row, positions[row.Name], time);
            if (!ofBuckets.TryGetValue(row.Buckets, out var cursors))
            {
                cursors = ofBuckets[row.Buckets] = await feed.CursorsAsync(follower.Buckets, feed.Heads, cancellationToken);
            }

            followers.Add(Describe(follower, cursors, lags.GetValueOrDefault(row.Name)));
        }

        return followers;
    }

    private static FollowerResource Describe(Follower follower, OfferedCursors cursors, FollowerLag? lag)
    {
        List<FollowerBinResource> bins =
        [
            .. follower
                .Bins.Zip(cursors.Bins)
                .Select(bin => new FollowerBinResource(
                    bin.Second.Bin,
                    bin.First.Acknowledged,
                    Math.Max(0, bin.Second.Head - bin.First.Acknowledged),
                    bin.First.RebuildDue
                )),
        ];
        return new FollowerResource(
            follower.Row.Name,
            new Uri(follower.Row.Url),
            [.. (follower.Buckets ?? []).Select(bucket => bucket.ToString())],
            follower.Cluster,
            NameOf(follower, cursors),
            bins.Sum(bin => bin.Behind),
            lag?.Bytes ?? 0,
            lag?.Seconds ?? 0,
            follower.Fault?.Reason,
            follower.Fault?.Since,
            bins
        );
    }

    /// <summary>In step: it has acknowledged all there is, and the digest of what it has is that of what is here.</summary>
    private static string NameOf(Follower follower, OfferedCursors cursors)
    {
        var bins = follower.Bins;
        return follower.Row.Paused ? "paused"
            : follower.Fault is not null ? "unreachable"
            : bins.Any(bin => bin.IsAhead) ? "ahead"
            : bins.Any(bin => bin.RebuildDue) ? "rebuilding"
            : bins.Zip(cursors.Bins)
                .All(bin => bin.First.Acknowledged == bin.Second.Head && bin.First.Digest == bin.Second.Digest.ToString())
                ? "inStep"
            : "catchingUp";
    }
}
