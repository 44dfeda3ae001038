using System.IO.Pipelines;

namespace FileTransfer.Benchmarks.Chunks;

/// <summary>A pipe whose reader takes everything at once and keeps nothing.</summary>
internal sealed class DiscardingWriter : PipeWriter
{
    private readonly byte[] _memory = new byte[1024 * 1024];

    public override void Advance(int bytes) { }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _memory;

    public override Span<byte> GetSpan(int sizeHint = 0) => _memory;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override void CancelPendingFlush() { }

    public override void Complete(Exception? exception = null) { }
}
