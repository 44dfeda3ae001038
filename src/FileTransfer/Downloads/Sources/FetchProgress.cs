using FileTransfer.Chunks.Frames;

namespace FileTransfer.Downloads.Sources;

/// <summary>Where a source reports how far a request is.</summary>
/// <param name="answered">The head of the answer has come.</param>
/// <param name="came">So many chunks came, in order: at least <see cref="Batch"/> at a time, or what came in 100 ms.</param>
public sealed class FetchProgress(Action answered, Action<int> came, TimeProvider time)
{
    private const int Batch = 1024;
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(100);

    private int _unreported;
    private int _reported;
    private long _reportedAt = time.GetTimestamp();

    /// <summary>Bytes that came, whatever they are.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>Bytes that came and are not of chunks that were reported.</summary>
    public long BytesUnreported => Math.Max(0, BytesReceived - (long)_reported * ChunkFrame.ChunkLength);

    public void Received(int bytes) => BytesReceived += bytes;

    public void Answered()
    {
        _reportedAt = time.GetTimestamp();
        answered();
    }

    public void ReportChunks(int chunks)
    {
        _unreported += chunks;
        _reported += chunks;
        if (_unreported >= Batch || time.GetElapsedTime(_reportedAt) >= _period)
        {
            Flush();
        }
    }

    /// <summary>Reports the rest: the request ends.</summary>
    public void Flush()
    {
        if (_unreported > 0)
        {
            var chunks = _unreported;
            _unreported = 0;
            _reportedAt = time.GetTimestamp();
            came(chunks);
        }
    }
}
