namespace FileTransfer.Downloads.Sources;

/// <summary>Where a source tells how far a request is.</summary>
/// <param name="answered">The head of the answer has come.</param>
/// <param name="brought">So many chunks came, in order. Told for at least <see cref="Batch"/> at a time, or for what came in 100 ms.</param>
public sealed class FetchProgress(Action answered, Action<int> brought, TimeProvider time)
{
    private const int Batch = 1024;
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(100);

    private int _untold;
    private long _toldAt = time.GetTimestamp();

    public void Answered()
    {
        _toldAt = time.GetTimestamp();
        answered();
    }

    public void Brought(int chunks)
    {
        _untold += chunks;
        if (_untold >= Batch || time.GetElapsedTime(_toldAt) >= _period)
        {
            Flush();
        }
    }

    /// <summary>Tells what is left to tell: the request ends.</summary>
    public void Flush()
    {
        if (_untold > 0)
        {
            var chunks = _untold;
            _untold = 0;
            _toldAt = time.GetTimestamp();
            brought(chunks);
        }
    }
}
