using System.Buffers;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Benchmarks.Chunks;

/// <summary>A framed body of 16 MiB: made from a stored content in the page cache, and taken apart from memory.</summary>
[MemoryDiagnoser]
public class Frames
{
    private const int Size = 16 * 1024 * 1024;

    private readonly DiscardingWriter _sink = new();
    private StoreOfOneContent? _store;
    private byte[] _body = [];

    [GlobalSetup]
    public async Task Fill()
    {
        var content = new byte[Size];
        new Random(4).NextBytes(content);
        _store = new StoreOfOneContent(content);
        using var body = new MemoryStream((int)ChunkFrame.BodyLength(Size));
        var output = PipeWriter.Create(body, new StreamPipeWriterOptions(leaveOpen: true));
        await FramedContent.WriteAsync(_store.Content, output, 0, ChunkFrame.BodyLength(Size), CancellationToken.None);
        await output.CompleteAsync();
        _body = body.ToArray();
    }

    [GlobalCleanup]
    public void Remove() => _store?.Dispose();

    [Benchmark]
    public ValueTask Write() =>
        FramedContent.WriteAsync(_store!.Content, _sink, 0, ChunkFrame.BodyLength(Size), CancellationToken.None);

    /// <param name="readKibibytes">What one read of the pipe brings: 64 from a slow network, 256 at most into the program's own pipe.</param>
    [Benchmark]
    [Arguments(64)]
    [Arguments(256)]
    public async Task<long> Read(int readKibibytes)
    {
        using var body = new MemoryStream(_body, writable: false);
        var pipe = PipeReader.Create(
            body,
            new StreamPipeReaderOptions(
                MemoryPool<byte>.Shared,
                bufferSize: readKibibytes * 1024,
                minimumReadSize: 4 * ChunkFrame.Length
            )
        );
        using var frames = new FrameReader(pipe, Size);
        var chunks = 0L;
        while (await frames.ReadAsync(CancellationToken.None) is { Kind: FrameReadKind.Run } read)
        {
            chunks += read.Run.ChunkCount;
        }

        await pipe.CompleteAsync();
        return chunks;
    }
}
