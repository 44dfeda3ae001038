using System.Text.Json.Serialization.Metadata;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Downloads.Sources;

/// <summary>A body that a source is sending; read under its stall monitor.</summary>
/// <param name="isOfUnknownLength">Where it ends is known by its end alone, which must be that of what was asked for.</param>
/// <param name="isPage">It says that it is a page for a person.</param>
public sealed class SourceBody(
    Source source,
    HttpResponseMessage response,
    Stream body,
    MinimumRateMonitor monitor,
    FetchProgress progress,
    bool isOfUnknownLength,
    bool isPage
) : IAsyncDisposable
{
    public bool IsPage => isPage;

    /// <summary>Reads the frames of a whole content of a size, in any order, and hands each run on.</summary>
    public async Task ReadFramesAsync(long size, Action<ChunkRun> put, CancellationToken cancellationToken)
    {
        var chunks = ChunkFrame.ChunkCount(size);
        var pipe = FrameReader.PipeOver(body);
        using var frames = new FrameReader(pipe, size);
        try
        {
            long taken = 0;
            while (true)
            {
                FrameRead read;
                try
                {
                    read = await frames.ReadAsync(monitor.Token);
                }
                catch (Exception e) when (source.FaultOf(e, monitor, cancellationToken) is not null)
                {
                    throw source.FaultOf(e, monitor, cancellationToken)!;
                }

                switch (read.Kind)
                {
                    case FrameReadKind.Run:
                        progress.Received(read.Run.Bytes.Length);
                        put(read.Run);
                        taken += read.Run.ChunkCount;
                        await PassAsync(read.Run.Bytes.Length, cancellationToken);
                        break;
                    case FrameReadKind.End when taken == chunks:
                        return;
                    case FrameReadKind.End:
                        throw source.Fault(SourceFaultKind.EndedEarly, $"ended a body of {chunks} chunks after {taken}");
                    default:
                        var what = $"sent a body that is not the file's: {read.Fault!.Reason}";
                        throw isPage ? source.Page("file") : source.Corrupt(what, null, "the frames are not the file's");
                }
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    /// <summary>Reads exactly so many bytes and hands them on in pieces that are multiples of <paramref name="unit"/>, but for the last.</summary>
    public async Task ReadBytesAsync(
        long length,
        int unit,
        string what,
        Action<long, ReadOnlyMemory<byte>> take,
        CancellationToken cancellationToken
    )
    {
        var buffer = PieceBufferPool.Rent(Math.Max(length, unit));
        try
        {
            var capacity = buffer.Length / unit * unit;
            var kept = 0;
            for (long offset = 0; offset + kept < length; )
            {
                var room = (int)Math.Min(capacity - kept, length - offset - kept);
                var read = await ReadAsync(buffer.AsMemory(kept, room), cancellationToken);
                if (read == 0)
                {
                    // A body without a length that ends well was meant to end there: what is here is shorter.
                    throw isOfUnknownLength
                        ? source.NotTheFile($"has {offset + kept} bytes of {what} where the file has {length}")
                        : source.Fault(SourceFaultKind.EndedEarly, $"ended {what} after {offset + kept} of {length} bytes");
                }

                kept += read;
                var whole = offset + kept == length ? kept : kept / unit * unit;
                if (whole > 0)
                {
                    take(offset, buffer.AsMemory(0, whole));
                    offset += whole;
                    buffer.AsSpan(whole, kept - whole).CopyTo(buffer);
                    kept -= whole;
                }

                await PassAsync(read, cancellationToken);
            }
        }
        finally
        {
            PieceBufferPool.Return(buffer);
        }
    }

    /// <summary>Fills a buffer and reports the pieces as they come.</summary>
    public async ValueTask ReadExactlyAsync(Memory<byte> into, string what, Action<int> came, CancellationToken cancellationToken)
    {
        for (var filled = 0; filled < into.Length; )
        {
            var read = await ReadAsync(into[filled..], cancellationToken);
            if (read == 0)
            {
                throw source.Fault(SourceFaultKind.EndedEarly, $"ended {what} after {filled} of {into.Length} bytes");
            }

            filled += read;
            came(read);
            await PassAsync(read, cancellationToken);
        }
    }

    /// <summary>Reads to the end of a short body.</summary>
    public async Task<ReadOnlyMemory<byte>> ReadAllAsync(int most, string what, CancellationToken cancellationToken)
    {
        var buffer = new byte[most + 1];
        var filled = 0;
        while (filled < buffer.Length && await ReadAsync(buffer.AsMemory(filled), cancellationToken) is > 0 and var read)
        {
            filled += read;
        }

        return filled <= most ? buffer.AsMemory(0, filled) : throw source.NotTheFile($"has more than {most} bytes of {what}");
    }

    /// <summary>Reads a body of lines of JSON to its end, one after the other.</summary>
    public async IAsyncEnumerable<T> ReadLinesAsync<T>(
        JsonTypeInfo<T> type,
        int longest,
        string what,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var buffer = new byte[longest];
        var (start, filled) = (0, 0);
        while (true)
        {
            for (int end; (end = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
            {
                yield return Parse(buffer.AsSpan(start, end));
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            (start, filled) = (0, filled - start);
            var read =
                filled < longest
                    ? await ReadAsync(buffer.AsMemory(filled), cancellationToken)
                    : throw source.NotTheFile($"has {what} with a line of more than {longest} bytes");
            if (read == 0)
            {
                break;
            }

            filled += read;
            await PassAsync(read, cancellationToken);
        }

        if (filled > 0)
        {
            throw source.Fault(SourceFaultKind.EndedEarly, $"ended {what} in the middle of a line");
        }

        T Parse(ReadOnlySpan<byte> line)
        {
            try
            {
                return JsonSerializer.Deserialize(line, type) ?? throw new JsonException("A line is null.");
            }
            catch (JsonException malformed)
            {
                throw source.NotTheFile($"has {what} that cannot be read: {malformed.Message}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await body.DisposeAsync();
        response.Dispose();
        monitor.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken cancellationToken)
    {
        try
        {
            var read = await body.ReadAsync(into, monitor.Token);
            progress.Received(read);
            return read;
        }
        catch (Exception e) when (source.FaultOf(e, monitor, cancellationToken) is not null)
        {
            throw source.FaultOf(e, monitor, cancellationToken)!;
        }
    }

    /// <summary>Counts what came, and waits where this node wants to be slower than its source.</summary>
    private async ValueTask PassAsync(int bytes, CancellationToken cancellationToken)
    {
        monitor.Received(bytes);
        var acquiring = source.AcquireAsync(bytes, cancellationToken);
        if (!acquiring.IsCompletedSuccessfully)
        {
            monitor.Pause();
            await acquiring;
            monitor.Start();
        }
    }
}
