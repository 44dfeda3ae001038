using FileTransfer.Chunks.Frames;

namespace FileTransfer.Cli.Client;

/// <summary>The body of a download, taken apart: runs of chunks in order of id, from the one that was asked for to the last.</summary>
public sealed class DownloadBody(
    Uri node,
    HttpResponseMessage response,
    PipeReader body,
    long size,
    long firstChunk,
    IdleTimeout stall,
    CancellationToken cancellationToken
) : IDisposable
{
    private readonly FrameReader _frames = new(body, size);

    /// <summary>The id of the next chunk to come.</summary>
    public long NextChunk { get; private set; } = firstChunk;

    /// <summary>The next run of whole chunks, valid until the next is read; empty after the last chunk.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync()
    {
        FrameRead read;
        try
        {
            stall.Moved();
            read = await _frames.ReadAsync(stall.Token);
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }

        switch (read)
        {
            case { Kind: FrameReadKind.Run, Run: var run } when run.FirstChunk == NextChunk:
                NextChunk += run.ChunkCount;
                return run.Bytes;
            case { Kind: FrameReadKind.Run, Run.FirstChunk: var other }:
                throw Contradiction($"chunk {other} where chunk {NextChunk} belongs.");
            case { Fault: { Kind: not FrameFaultKind.Truncated } fault }:
                throw Contradiction($"what is not the content. {fault.Reason}");
            case { Kind: FrameReadKind.End } when NextChunk == ChunkFrame.ChunkCount(size):
                return default;
            default:
                throw new NodeUnreachableException(node, $"ended the content before chunk {NextChunk}.");
        }
    }

    public void Dispose()
    {
        _frames.Dispose();
        stall.Dispose();
        response.Dispose();
    }

    private NodeContradictionException Contradiction(string sent) => new(node, $"{node.Display()} sent {sent}");
}
