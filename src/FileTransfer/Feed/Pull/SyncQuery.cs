using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Feed.Pull;

/// <summary>What routes of the feed are asked with.</summary>
internal static class SyncQuery
{
    /// <summary>Of an answer where nothing else was asked for.</summary>
    public const int PageSize = 250;

    /// <summary>What is wrong with these; null = nothing.</summary>
    public static string? FaultOf(int bin, int? limit) =>
        bin is < 0 or >= FeedPage.Bins ? $"There is no bin {bin}; write 0 to {FeedPage.Bins - 1}."
        : limit is < 1 or > OfferedFeed.LargestPage ? $"limit={limit} is out of range; write 1 to {OfferedFeed.LargestPage}."
        : null;

    /// <param name="text">Null: nothing was asked for, which is all.</param>
    public static bool TryParseBuckets(
        string? text,
        out IReadOnlyList<ByteString>? buckets,
        [NotNullWhen(false)] out IResult? fault
    )
    {
        (buckets, fault) = (null, null);
        var parsed = new List<ByteString>();
        foreach (var one in text?.Split(',') ?? [])
        {
            if (!BucketId.TryParse(one, out var bucket))
            {
                fault = Problem.Of(
                    ProblemTypes.BadRequest,
                    $"'{Problem.Quote(one)}' is not a bucket; write buckets in hex, separated by commas."
                );
                return false;
            }

            parsed.Add(bucket.Value);
        }

        buckets = text is null ? null : parsed;
        return true;
    }
}
