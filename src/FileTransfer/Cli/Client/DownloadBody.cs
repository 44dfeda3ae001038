using System.Buffers;
using System.Buffers.Binary;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Cli.Client;

/// <summary>The body of a download, taken apart: runs of chunks in order of id, from the one that was asked for to the last.</summary>
public sealed class DownloadBody : IDisposable
{
    private const int ChunksPerRun = 256;

    private readonly Uri _node;
    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly IdleTimeout _stall;
    private readonly CancellationToken _cancellationToken;
    private readonly long _size;
    private readonly byte[] _frames = ArrayPool<byte>.Shared.Rent(ChunksPerRun * ChunkFrame.Length);
    private int _buffered;

    private DownloadBody(
        Uri node,
        HttpResponseMessage response,
        Stream body,
        long size,
        long firstChunk,
        IdleTimeout stall,
        CancellationToken cancellationToken
    )
    {
        _node = node;
        _response = response;
        _body = body;
        _size = size;
        _stall = stall;
        _cancellationToken = cancellationToken;
        NextChunk = firstChunk;
    }

    /// <summary>The id of the next chunk to come.</summary>
    public long NextChunk { get; private set; }

    internal static async Task<DownloadBody> OpenAsync(
        Uri node,
        HttpResponseMessage response,
        long size,
        long firstChunk,
        TimeProvider time,
        TimeSpan stallPeriod,
        CancellationToken cancellationToken
    )
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return new DownloadBody(
            node,
            response,
            body,
            size,
            firstChunk,
            new IdleTimeout(time, stallPeriod, cancellationToken),
            cancellationToken
        );
    }

    /// <summary>
    /// Reads the next run of whole chunks into <paramref name="chunks"/> (256 KiB) and returns its length; 0 after the last chunk.
    /// </summary>
    public async ValueTask<int> ReadAsync(Memory<byte> chunks, CancellationToken cancellationToken)
    {
        while (NextChunk * ChunkFrame.ChunkLength < _size)
        {
            var taken = TakeFrames(chunks.Span);
            if (taken > 0)
            {
                return taken;
            }

            await FillAsync(cancellationToken);
        }

        return _buffered == 0 ? 0 : throw Contradiction("more than the whole content");
    }

    public void Dispose()
    {
        _stall.Dispose();
        _response.Dispose();
        ArrayPool<byte>.Shared.Return(_frames);
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        int read;
        try
        {
            _stall.Moved();
            read = await _body.ReadAsync(
                _frames.AsMemory(_buffered, (ChunksPerRun * ChunkFrame.Length) - _buffered),
                _stall.Token
            );
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, _cancellationToken) is { } reason)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new NodeUnreachableException(_node, reason, fault);
        }

        if (read == 0)
        {
            throw new NodeUnreachableException(_node, $"ended the content before chunk {NextChunk}.");
        }

        _buffered += read;
    }

    private int TakeFrames(Span<byte> chunks)
    {
        var taken = 0;
        var frames = _frames.AsSpan(0, _buffered);
        while (NextChunk * ChunkFrame.ChunkLength < _size)
        {
            var length = (int)Math.Min(ChunkFrame.ChunkLength, _size - (NextChunk * ChunkFrame.ChunkLength));
            if (frames.Length < ChunkFrame.IdLength + length)
            {
                break;
            }

            var id = BinaryPrimitives.ReadUInt64LittleEndian(frames);
            if (id != (ulong)NextChunk)
            {
                throw Contradiction($"chunk {id}");
            }

            frames.Slice(ChunkFrame.IdLength, length).CopyTo(chunks[taken..]);
            frames = frames[(ChunkFrame.IdLength + length)..];
            taken += length;
            NextChunk++;
        }

        frames.CopyTo(_frames);
        _buffered = frames.Length;
        return taken;
    }

    private NodeContradictionException Contradiction(string sent) =>
        new(_node, $"{_node.Display()} sent {sent} where chunk {NextChunk} belongs.");
}
