using FileTransfer.Chunks;
using FileTransfer.Identity;

namespace FileTransfer.Cli;

/// <summary>Brings one file: its metadata, proven by its key, and its content, proven by its fingerprint.</summary>
public sealed class FileGet(NodeSet nodes, FileKey key)
{
    private const int RunLength = 256 * ChunkFrame.ChunkLength;

    public Task<FileMetadata> FindAsync(CancellationToken cancellationToken) =>
        nodes.RunAsync(
            async (node, token) =>
            {
                var file = await node.GetFileAsync(key, token);
                if (file.IsRemoved)
                {
                    throw new CliException(
                        ExitCode.NotFound,
                        $"{key} was removed{(file.RemovedAt is { } at ? $" at {at:u}" : "")}."
                    );
                }

                return file.ToMetadata() is { } metadata && metadata.ComputeKey() == key && metadata.Fault() is null
                    ? metadata
                    : throw new NodeContradictionException(
                        node.Node,
                        $"{node.Node.Display()} sent metadata for {key} whose hash is another key."
                    );
            },
            cancellationToken
        );

    /// <summary>Fills <paramref name="target"/> and proves it. A lost connection goes on where it stopped, at whichever node answers.</summary>
    public Task FetchAsync(DownloadTarget target, TransferBar bar, CancellationToken cancellationToken)
    {
        var furthest = 0L;
        return nodes.RunAsync(
            async (node, token) =>
            {
                while (true)
                {
                    await FillAsync(node, token);
                    if (target.Prove())
                    {
                        return true;
                    }

                    var isNodesDoing = !target.IsResumed;
                    target.Restart();
                    if (isNodesDoing)
                    {
                        throw new NodeContradictionException(
                            node.Node,
                            $"{node.Node.Display()} sent a content for {key} that has another fingerprint."
                        );
                    }
                }
            },
            cancellationToken,
            () => furthest
        );

        async Task FillAsync(NodeClient node, CancellationToken token)
        {
            if (target.BytesWritten == target.Size)
            {
                return;
            }

            using var body = await node.DownloadAsync(key, target.Size, target.NextChunk, token);
            var chunks = new byte[RunLength];
            while (true)
            {
                var firstChunk = body.NextChunk;
                var read = await body.ReadAsync(chunks, token);
                if (read == 0)
                {
                    break;
                }

                await target.WriteAsync(firstChunk, chunks.AsMemory(0, read), token);
                furthest = Math.Max(furthest, target.BytesWritten);
                bar.Report(target.BytesWritten);
            }
        }
    }
}
