using FileTransfer.Chunks;

namespace FileTransfer.Cli.Client;

/// <summary>Downloads one file: its metadata, proven by its key, and its content, proven by its fingerprint.</summary>
public sealed class FileGet(NodeSet nodes, FileKey key)
{
    /// <summary>
    /// As <see cref="FindAsync()"/>; where a node's database is away, what that node serves under the key: its size and fingerprint prove the
    /// content, but nothing proves that they are the key's. <c>NamedBy</c> is that node then.
    /// </summary>
    public Task<(FileMetadata Metadata, Uri? NamedBy)> FindOrBelieveAsync() =>
        nodes.RunAsync(async node =>
        {
            try
            {
                return (await FindAsync(node), (Uri?)null);
            }
            catch (NodeProblemException away) when (away.IsDatabaseAway)
            {
                if (await BelieveAsync(node) is not { } named)
                {
                    throw;
                }

                return (named, node.Node);
            }
        });

    public Task<FileMetadata> FindAsync() => nodes.RunAsync(FindAsync);

    private async Task<FileMetadata> FindAsync(NodeClient node)
    {
        var file = await node.GetFileAsync(key);
        return file.ToMetadata() is { } metadata && metadata.ComputeKey() == key && metadata.Fault() is null
            ? metadata
            : throw new NodeContradictionException(
                node.Node,
                $"{node.Node.Display()} sent metadata for {key} whose hash is another key."
            );
    }

    private async Task<FileMetadata?> BelieveAsync(NodeClient node)
    {
        try
        {
            return await node.FindContentAsync(key) is var (size, fingerprint)
                ? new FileMetadata(default, default, default, (ulong)size, fingerprint)
                : null;
        }
        catch (NodeProblemException)
        {
            // It does not have the content either; what it said about its database is the better answer.
            return null;
        }
    }

    /// <summary>Fills <paramref name="target"/> and proves it. A lost connection goes on where it stopped, at whichever node answers.</summary>
    public Task FetchAsync(DownloadTarget target, IProgress<long> bar, CancellationToken cancellationToken)
    {
        var furthest = 0L;
        return nodes.RunAsync(
            async node =>
            {
                while (true)
                {
                    await FillAsync(node);
                    if (target.Prove())
                    {
                        return;
                    }

                    if (target.IsResumed)
                    {
                        await KeepProvenAsync(node);
                    }
                    else
                    {
                        target.Restart();
                        throw new NodeContradictionException(
                            node.Node,
                            $"{node.Node.Display()} sent a content for {key} that has another fingerprint."
                        );
                    }
                }
            },
            () => furthest
        );

        // A crash may have left anything in what was kept; only the node's hashes tell which chunks are right.
        async Task KeepProvenAsync(NodeClient node)
        {
            using var hashes = await node.GetHashesAsync(key, target.Size);
            if (hashes.ComputeFingerprint() == target.Fingerprint)
            {
                await target.KeepProvenAsync(hashes, cancellationToken);
            }
            else
            {
                target.Restart();
            }
        }

        async Task FillAsync(NodeClient node)
        {
            if (target.BytesWritten == target.Size)
            {
                return;
            }

            using var body = await node.DownloadAsync(key, target.Size, target.NextChunk);
            while (true)
            {
                var firstChunk = body.NextChunk;
                var chunks = await body.ReadAsync();
                if (chunks.IsEmpty)
                {
                    break;
                }

                await target.WriteAsync(firstChunk, chunks, cancellationToken);
                furthest = Math.Max(furthest, target.BytesWritten);
                bar.Report(target.BytesWritten);
            }
        }
    }
}
