using FileTransfer.Bandwidth;

namespace FileTransfer.Serving;

/// <summary>What this node sends contents through: how fast, and whose turn it is.</summary>
public sealed class EgressBandwidth(FairTokenBucket gate, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Reader> _readers = new(StringComparer.Ordinal);

    public FairTokenBucket Gate => gate;

    public ContentAdmission Admission { get; } = new(() => gate.Rate);

    internal TimeSpan Now => time.GetElapsedTime(0);

    /// <summary>The share of one reader, a node or an address, however many answers it has under way. Ends with <see cref="Part"/>.</summary>
    internal RateFlow Join(string name)
    {
        lock (_lock)
        {
            if (!_readers.TryGetValue(name, out var reader))
            {
                _readers[name] = reader = new Reader();
            }

            reader.Answers++;
            return reader.Flow;
        }
    }

    internal void Part(string name)
    {
        lock (_lock)
        {
            if (--_readers[name].Answers == 0)
            {
                _readers.Remove(name);
            }
        }
    }

    private sealed class Reader
    {
        public RateFlow Flow { get; } = new();

        public int Answers { get; set; }
    }
}
