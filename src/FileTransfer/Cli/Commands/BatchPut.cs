using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Cli.Commands;

/// <summary>Puts small files many at a time: one request names them, registers them and sends them.</summary>
internal sealed class BatchPut(Invocation run, ByteString owner, ByteString bucket)
{
    private const int LargestFile = 64 * 1024;

    /// <summary>Files of a request: their answers, which are read once all is sent, must find room on the way.</summary>
    private const int MostFiles = 256;

    private const int MostBytes = 4 * 1024 * 1024;

    /// <summary>Whether nodes are known that do not take batches.</summary>
    private volatile bool _isUnknown;

    /// <summary>The files in the order that they come in, small ones together.</summary>
    public static IEnumerable<IReadOnlyList<PutItem>> Together(IEnumerable<PutItem> items)
    {
        var (batch, bytes) = (new List<PutItem>(), 0L);
        foreach (var item in items)
        {
            var length = LocalContent.LengthOf(item.Path);
            if (length > LargestFile)
            {
                yield return [item];
                continue;
            }

            batch.Add(item);
            bytes += length;
            if (batch.Count == MostFiles || bytes >= MostBytes)
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    /// <param name="items">Small ones.</param>
    /// <param name="stored">Told of each file as it is stored.</param>
    /// <param name="failed">Told of each file that cannot be stored, and why.</param>
    /// <returns>The files of which a batch tells nothing, to be put one by one: the node does not take batches, or fails of this one.</returns>
    public async Task<IReadOnlyList<PutItem>> PutAsync(
        IReadOnlyList<PutItem> items,
        Action<PutLine> stored,
        Action<PutItem, Exception> failed,
        CancellationToken cancellationToken
    )
    {
        if (_isUnknown)
        {
            return items;
        }

        var started = run.Time.GetTimestamp();
        var open = new Queue<NamedFile>();
        foreach (var item in items)
        {
            try
            {
                open.Enqueue(Name(item));
            }
            catch (CliException fault)
            {
                failed(item, fault);
            }
        }

        try
        {
            await run.Nodes.Until(cancellationToken).RunAsync(SendAsync, () => -open.Count);
        }
        catch (NodeException fault) when (fault.Code is not (ExitCode.Unreachable or ExitCode.Unavailable or ExitCode.Refused))
        {
            _isUnknown |= fault is NodeProblemException { Status: HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed };
        }

        return [.. open.Select(file => file.Item)];

        async Task SendAsync(NodeClient node)
        {
            using var answer = await node.OpenBatchAsync(new BatchBody([.. open.Select(file => file.Entry)]));
            while (open.TryPeek(out var file))
            {
                var line = await answer.ReadAsync() ?? throw new NodeUnreachableException(node.Node, "ended its answer early.");
                if (line.Problem is null && line.Key != file.Key.ToString())
                {
                    throw new NodeContradictionException(
                        node.Node,
                        $"{node.Node.Display()} stored {file.Item.Path} under {line.Key} instead of {file.Key}."
                    );
                }

                var fault = line.Problem is { } problem
                    ? new NodeProblemException(node.Node, (HttpStatusCode)line.Status, problem, retryAfter: null)
                    : null;
                if (fault is { Remedy: not RetryAdvice.None })
                {
                    throw fault;
                }

                open.Dequeue();
                if (fault is not null)
                {
                    failed(file.Item, fault);
                }
                else
                {
                    var isKnown = line.Status != (int)HttpStatusCode.Created;
                    var took = run.Time.GetElapsedTime(started);
                    stored(PutLine.Of(file.Key, file.Item.Path, file.Metadata, isKnown, node.Node.Display(), took));
                }
            }
        }
    }

    private NamedFile Name(PutItem item)
    {
        LocalContent.RefuseFolder(item.Path);
        var content = LocalContent.Try(item.Path, () => File.ReadAllBytes(item.Path));
        var fingerprint = ContentFingerprint.Of(content);
        var metadata = new FileMetadata(owner, bucket, item.Location, (ulong)content.Length, fingerprint);
        if (metadata.Fault() is { } fault)
        {
            throw new CliException(ExitCode.Failed, $"{item.Path}: {fault}");
        }

        var description = FileDescription.Of(metadata);
        var json = JsonSerializer.SerializeToUtf8Bytes(description, SparseJson.Default.FileDescription);
        byte[] entry = [.. FileBatch.HeaderOf(json, content.Length), .. content];
        return new NamedFile(item, metadata.ComputeKey(), metadata, entry);
    }

    private sealed record NamedFile(PutItem Item, FileKey Key, FileMetadata Metadata, ReadOnlyMemory<byte> Entry);
}
