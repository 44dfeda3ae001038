using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;
using FileTransfer.Feed.Pull;
using FileTransfer.Serving;

namespace FileTransfer.Feed.Push;

/// <summary>The Add of a file in a shipment.</summary>
/// <param name="Travels">Its content comes along.</param>
internal sealed record ShippedAdd(FileKey Key, long Size, bool Travels);

/// <summary>What is shipped: the feed, read as those read it who pull it, and contents as this node has them stored.</summary>
public sealed class ShippedFeed(
    OfferedFeed offered,
    OfferedSet set,
    FollowerTable followers,
    StoredContents stored,
    DamagedContents damaged,
    EgressBandwidth egress
) : IDisposable
{
    /// <summary>Mutations of one shipment at most.</summary>
    private const int PageSize = 128;

    private const int FilesPage = 500;

    /// <summary>Bytes of metadata in one shipment, but for one mutation.</summary>
    private const long MostMetadata = 1024 * 1024;

    /// <summary>Pages that are read at the same time, for all followers together.</summary>
    private const int MostReads = 8;

    /// <summary>Contents that are opened together.</summary>
    private const int OpenedAtOnce = 16;

    private const int FlushedFrom = 256 * 1024;

    private readonly SemaphoreSlim _reads = new(MostReads);
    private volatile FeedHeads _heads = FeedHeads.None;

    public FeedHeads Heads => _heads;

    internal void Pass(FeedHeads heads)
    {
        Interlocked.Exchange(ref _heads, heads).Pass();
    }

    internal Task<OfferedCursors> CursorsAsync(
        IReadOnlyCollection<ByteString>? buckets,
        FeedHeads heads,
        CancellationToken cancellationToken
    ) => offered.CursorsAsync(buckets, heads.Next, cancellationToken);

    /// <summary>What follows a position: as many mutations as fit in a shipment with the contents that travel; null where they are not kept any more.</summary>
    internal Task<OfferedPage?> ReadAsync(short bin, long after, FeedHeads heads, CancellationToken cancellationToken) =>
        heads.PageAsync(bin, after, () => ReadAsync(bin, after, heads)).WaitAsync(cancellationToken);

    private async Task<OfferedPage?> ReadAsync(short bin, long after, FeedHeads heads)
    {
        using var place = await _reads.EnterAsync(CancellationToken.None);
        var read = await offered.ReadAsync(bin, after + 1, long.MaxValue, PageSize, null, heads.Next, CancellationToken.None);
        if (after + 1 < read.RetainedFrom || read.Page.Mutations.Count == 0)
        {
            return null;
        }

        var (contents, metadata) = (0L, 0L);
        var fit = read
            .Page.Mutations.TakeWhile(
                (mutation, i) =>
                {
                    var of = mutation.Details!.Metadata;
                    metadata += of?.Location.Length ?? 0;
                    contents += mutation.Kind == MutationKind.Add && IsSmall(of!) ? (long)of!.Size : 0;
                    return i == 0 || (contents <= ShipmentBody.MostBytes && metadata <= MostMetadata);
                }
            )
            .ToList();
        return read with { Page = read.Page with { Mutations = fit }, Digest = null };
    }

    internal async Task<SyncRanges> RangesAsync(
        short bin,
        IReadOnlyCollection<ByteString>? buckets,
        CancellationToken cancellationToken
    )
    {
        using var place = await _reads.EnterAsync(cancellationToken);
        return OfferWriting.Of(await set.RangesAsync(bin, KeyPrefix.OfBin(bin), buckets, cancellationToken), bin);
    }

    internal async Task<SyncFiles> FilesAsync(
        short bin,
        KeyPrefix part,
        IReadOnlyCollection<ByteString>? buckets,
        FileKey? after,
        CancellationToken cancellationToken
    )
    {
        using var place = await _reads.EnterAsync(cancellationToken);
        var page = await set.FilesAsync(bin, part, buckets, after, FilesPage, cancellationToken);
        return OfferWriting.Of(page, bin);
    }

    /// <summary>The Adds of a page. A content travels with the newest mutation of its file, but not to where the file came from.</summary>
    internal static IReadOnlyList<ShippedAdd> AddsOf(FeedPage page, Follower follower)
    {
        var newest = page.NewestOfEach().ToHashSet();
        return
        [
            .. page
                .Mutations.Where(mutation => mutation.Kind == MutationKind.Add)
                .Select(add => new ShippedAdd(
                    add.Key,
                    (long)add.Details!.Metadata!.Size,
                    newest.Contains(add)
                        && IsSmall(add.Details.Metadata)
                        && add.Details.Origin.Cluster != follower.Cluster
                        && (follower.Buckets?.Contains(add.Details.Metadata.Bucket) ?? true)
                )),
        ];
    }

    /// <summary>Writes a content for each Add, where it travels and is here, as a delivery has it.</summary>
    /// <param name="reader">Whose share of the bandwidth it takes.</param>
    internal async Task WriteAsync(
        IReadOnlyList<ShippedAdd> adds,
        string reader,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        using var sending = ThrottledResponse.Begin(egress, reader);
        var writer = PipeWriter.Create(output, new StreamPipeWriterOptions(leaveOpen: true));
        foreach (var group in adds.Chunk(OpenedAtOnce))
        {
            List<OpenContent?> contents = [.. stored.OpenSmall([.. group.Select(add => add.Key)], proven: true)];
            try
            {
                foreach (var (i, add) in group.Index())
                {
                    if (add.Travels && contents[i] is null)
                    {
                        (contents[i], _) = await stored.OpenAsync(add.Key, proven: true, cancellationToken);
                    }

                    await BatchRoutes.DeliverAsync(
                        add.Travels ? contents[i] : null,
                        FlushedFrom,
                        sending,
                        writer,
                        cancellationToken
                    );
                }
            }
            catch (ContentDamagedException damage)
            {
                _ = damaged.ExamineAsync(
                    damage.Fingerprint,
                    size: null,
                    $"it was shipped, and {damage.Reason}",
                    CancellationToken.None
                );
                throw new IOException($"a content turned out to be damaged: {damage.Reason}", damage);
            }
            finally
            {
                contents.ForEach(content => content?.Dispose());
            }
        }

        await writer.CompleteAsync();
    }

    internal async Task KnowAsync(Follower follower, string cluster, CancellationToken cancellationToken)
    {
        if (follower.Cluster != cluster)
        {
            await followers.SetClusterAsync(follower.Row.Name, cluster, cancellationToken);
            follower.Cluster = cluster;
        }
    }

    public void Dispose() => _reads.Dispose();

    private static bool IsSmall(FileMetadata metadata) => metadata.Size <= (ulong)ContentBatch.LargestContent;
}
