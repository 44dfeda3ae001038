using FileTransfer.Catalog;

namespace FileTransfer.Feed.Pull;

/// <summary>The set of files that a bin has, for those who compare what they have of it.</summary>
internal static class SyncSetRoutes
{
    public static void MapSyncSets(this IEndpointRouteBuilder sync)
    {
        sync.MapGet(Routes.BinFiles, FilesAsync)
            .WithSummary("The files of a bin in the order of their keys, and the cursor when the page was read")
            .Produces<SyncFiles>()
            .ProducesProblems(ProblemTypes.FileKeyMalformed);
        sync.MapGet(Routes.BinDigests, DigestsAsync)
            .WithSummary("Digests of the ranges of keys of a bin, to find the files in which two sets differ")
            .Produces<SyncRanges>();
    }

    /// <param name="bin" example="7">0 to 15: the first hex digit of the keys in it.</param>
    /// <param name="prefix" example="7a5">What the keys begin with: 1 to 16 hex digits, the bin's first; all of the bin when left out.</param>
    /// <param name="bucket" example="0x22,0x33">Files of these alone, separated by commas; of all when left out.</param>
    /// <param name="after" example="0x7a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1">The last key of the page before.</param>
    /// <param name="limit" example="250">1 to 1000; 250 when left out. Fewer come where their locations are long.</param>
    private static async Task<IResult> FilesAsync(
        int bin,
        string? prefix,
        string? bucket,
        string? after,
        int? limit,
        OfferedSet set,
        CancellationToken cancellationToken
    )
    {
        FileKey? last = null;
        if (after is not null)
        {
            if (!FileKey.TryParse(after, out var key))
            {
                return FileProblems.Malformed(after);
            }

            last = key;
        }

        return await InRangeAsync(
            bin,
            limit,
            prefix,
            bucket,
            async (range, buckets) =>
            {
                var most = limit ?? SyncQuery.PageSize;
                var page = await set.FilesAsync((short)bin, range, buckets, last, most, cancellationToken);
                return TypedResults.Json(OfferWriting.Of(page, bin), WireJson.Default.SyncFiles);
            }
        );
    }

    /// <param name="bin" example="7">0 to 15: the first hex digit of the keys in it.</param>
    /// <param name="prefix" example="7a5">What the keys begin with: 1 to 16 hex digits, the bin's first; all of the bin when left out.</param>
    /// <param name="bucket" example="0x22,0x33">Files of these alone, separated by commas; of all when left out.</param>
    private static Task<IResult> DigestsAsync(
        int bin,
        string? prefix,
        string? bucket,
        OfferedSet set,
        CancellationToken cancellationToken
    ) =>
        InRangeAsync(
            bin,
            limit: null,
            prefix,
            bucket,
            async (range, buckets) =>
            {
                var offered = await set.RangesAsync((short)bin, range, buckets, cancellationToken);
                return TypedResults.Json(OfferWriting.Of(offered, bin), WireJson.Default.SyncRanges);
            }
        );

    private static async Task<IResult> InRangeAsync(
        int bin,
        int? limit,
        string? prefix,
        string? bucket,
        Func<KeyPrefix, IReadOnlyList<ByteString>?, Task<IResult>> answerAsync
    )
    {
        if (SyncQuery.FaultOf(bin, limit) is { } fault)
        {
            return Problem.Of(ProblemTypes.BadRequest, fault);
        }

        var range = prefix is null ? KeyPrefix.OfBin(bin) : KeyPrefix.Parse(prefix, bin);
        if (range is null)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"prefix={Problem.Quote(prefix!)} is no prefix of keys of bin {bin}; write 1 to {KeyPrefix.Longest} hex digits, the first of them {bin:x}."
            );
        }

        return SyncQuery.TryParseBuckets(bucket, out var buckets, out var malformed)
            ? await answerAsync(range, buckets)
            : malformed;
    }
}
