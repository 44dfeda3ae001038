using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Sources;
using FileTransfer.Feed;

namespace FileTransfer.Wants.Loads;

/// <summary>Takes in what a share lists: each file whose key is the hash of its metadata becomes one of the cluster, and is wanted here.</summary>
/// <remarks>Some files at a time: what was done before a failure stays done, and the same again goes on with the rest.</remarks>
internal sealed class Adoption(FileCommands commands, Database database, QueueSignal queue, ReplicaChanges changes, NodeId node)
{
    private const int AtOnce = 500;

    /// <exception cref="SourceException">The share has no index, or broke off.</exception>
    public async Task<AdoptedResource> RunAsync(
        ShareSource share,
        BucketId? bucket,
        bool readds,
        CancellationToken cancellationToken
    )
    {
        var sum = new AdoptedResource(share.Id.Value, 0, 0, 0, 0, 0);
        var page = new Dictionary<FileKey, FileMetadata>();
        await foreach (var line in share.IndexAsync(cancellationToken))
        {
            if (ProvenOf(line) is not { } metadata)
            {
                sum = sum with { Refused = sum.Refused + 1 };
            }
            else if (bucket is null || metadata.Bucket.Equals(bucket.Value.Value))
            {
                page[metadata.ComputeKey()] = metadata;
            }

            if (page.Count == AtOnce)
            {
                sum = await TakeAsync(page, sum, readds, cancellationToken);
                page.Clear();
            }
        }

        return page.Count == 0 ? sum : await TakeAsync(page, sum, readds, cancellationToken);
    }

    private static FileMetadata? ProvenOf(FileDescription line) =>
        FileKey.TryParse(line.Key ?? "", out var key)
        && line.Read(default).Metadata is { } metadata
        && metadata.ComputeKey() == key
            ? metadata
            : null;

    private async Task<AdoptedResource> TakeAsync(
        Dictionary<FileKey, FileMetadata> page,
        AdoptedResource sum,
        bool readds,
        CancellationToken cancellationToken
    )
    {
        const string gone = "SELECT file_key FROM filetransfer.files WHERE file_key = ANY(@keys) AND state = 'removed'";
        var all = new { keys = page.Keys.ToParameter() };
        var removed = readds ? [] : await database.QueryAsync<FileKey>(gone, all, cancellationToken);
        foreach (var key in removed)
        {
            page.Remove(key);
        }

        await commands.ClaimAsync([.. page.Select(file => (file.Key, file.Value))], [], cancellationToken);
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var there = (await FileCatalog.LockAsync(connection, page.Keys, cancellationToken))
            .Where(file => file.State != FileState.Removed)
            .ToDictionary(file => file.Key);
        var named = await ReplicaTransitions.WantAsync(connection, node, there.Keys, waitsForUpload: false, cancellationToken);
        var wanted = named.ToList();
        await transaction.CommitAsync(cancellationToken);
        changes.PublishWanted([.. wanted.Select(key => new ReplicaChange(key, there[key].Size))]);
        queue.Set();
        return sum with
        {
            Files = sum.Files + there.Count,
            Bytes = sum.Bytes + there.Values.Sum(file => file.Size),
            Wanted = sum.Wanted + wanted.Count,
            Removed = sum.Removed + removed.Count,
        };
    }
}
