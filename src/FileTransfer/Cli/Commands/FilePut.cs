using FileTransfer.Chunks.Frames;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>Puts one file: names it, registers it, sends it where it is not there yet.</summary>
internal sealed class FilePut(Invocation run, ByteString owner, ByteString bucket)
{
    /// <summary>A content up to this size is sent again sooner than it is asked for.</summary>
    private const long WorthAsking = 1024 * 1024;

    private const string Stored = "stored";

    public async Task<PutLine> PutAsync(
        PutItem item,
        TransferProgress progress,
        TransferBar? whole,
        CancellationToken cancellationToken
    )
    {
        var started = run.Time.GetTimestamp();
        using var file = LocalContent.Try(
            item.Path,
            () => File.OpenHandle(item.Path, options: FileOptions.Asynchronous | FileOptions.SequentialScan)
        );
        var size = RandomAccess.GetLength(file);
        var name = Path.GetFileName(item.Path);
        using var bar = progress.Start($"reading {name}", size, whole, counts: false);
        var metadata = await LocalContent.NameAsync(item.Path, size, owner, bucket, item.Location, bar, cancellationToken);
        var key = metadata.ComputeKey();
        bar.Begin(name);
        var sent = new FurthestPoint(bar);
        var (isKnown, node) = await run
            .Nodes.Until(cancellationToken)
            .RunAsync(
                async node =>
                {
                    sent.Report(0);
                    var (known, isNew) = await node.RegisterAsync(key, metadata);
                    if (known.State == Stored)
                    {
                        return (true, node.Node);
                    }

                    var first = isNew || size <= WorthAsking ? 0 : await node.FindMissingChunkAsync(key, size);
                    if (first is null)
                    {
                        return (false, node.Node);
                    }

                    if (first > 0)
                    {
                        var kept = SizeText.Of(first.Value * ChunkFrame.ChunkLength);
                        run.Console.Notice(
                            $"{item.Path}: {kept} of {SizeText.Of(size)} are at {node.Node.Display()} already; resuming there"
                        );
                    }

                    using var content = new UploadBody(item.Path, file, size, first.Value, sent);
                    await node.UploadAsync(key, content);
                    return (false, node.Node);
                },
                () => sent.Furthest
            );
        bar.Report(size);
        return PutLine.Of(key, item.Path, metadata, isKnown, node.Display(), run.Time.GetElapsedTime(started));
    }

    /// <summary>Passes on how far a transfer is, and remembers how far any try of it came.</summary>
    private sealed class FurthestPoint(IProgress<long> bar) : IProgress<long>
    {
        public long Furthest { get; private set; }

        public void Report(long value)
        {
            Furthest = Math.Max(Furthest, value);
            bar.Report(value);
        }
    }
}
