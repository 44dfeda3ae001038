using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Push;

internal sealed partial class FollowerLoop
{
    /// <summary>
    /// Tells the files of those parts of a bin in which the follower has others. What it lacks of them it fetches as it fetches everything;
    /// what is not among them it keeps.
    /// </summary>
    private async Task RebuildAsync(short bin, CancellationToken cancellationToken)
    {
        // What is added or removed from here on is shipped behind this cursor.
        var ranges = await feed.RangesAsync(bin, follower.Buckets, cancellationToken);
        var answer = await SendAsync(new Shipment(node.ClusterId, _buckets, Ranges: ranges), [], cancellationToken);
        var parts = (answer.Differing ?? [])
            .Select(prefix =>
                KeyPrefix.Parse(prefix, bin) ?? throw new UpstreamFaultException($"it calls '{prefix}' a part of bin {bin}")
            )
            .ToList();
        foreach (var part in parts)
        {
            answer = await TellAsync(bin, part, ranges.Cursor, isLast: part == parts[^1], cancellationToken);
        }

        if (answer.Bin != bin || answer.Applied != ranges.Cursor || answer.Comparing)
        {
            throw new UpstreamFaultException($"it was told the files of bin {bin}, and did not take them");
        }

        var compared = new FollowerBin(ranges.Cursor, answer.Digest, RebuildDue: false, IsAhead: false);
        follower.Set(ranges.Epoch, bin, compared);
        acknowledged();
    }

    private async Task<ShipmentPosition> TellAsync(
        short bin,
        KeyPrefix part,
        long cursor,
        bool isLast,
        CancellationToken cancellationToken
    )
    {
        for (FileKey? after = null; ; )
        {
            var page = await feed.FilesAsync(bin, part, follower.Buckets, after, cancellationToken);
            var shipment = new Shipment(
                node.ClusterId,
                _buckets,
                Files: page with
                {
                    Cursor = cursor,
                },
                Prefix: part.Digits,
                After: after?.ToString(),
                IsLast: isLast && page.Next is null
            );
            var answer = await SendAsync(shipment, [], cancellationToken);
            if (page.Next is null)
            {
                return answer;
            }

            after = FileKey.TryParse(page.Next, out var key) ? key : null;
        }
    }
}
