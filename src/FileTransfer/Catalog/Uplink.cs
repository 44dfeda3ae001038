using FileTransfer.Rates;

namespace FileTransfer.Catalog;

/// <summary>What this node sends contents through: how fast, and whose turn it is.</summary>
public sealed class Uplink(TimeProvider time) : IDisposable
{
    public RateGate Gate { get; } = new(time);

    public ServingTurns Turns { get; } = new();

    /// <summary>The limit in force; null = none.</summary>
    public ByteRate? Limit
    {
        get => Gate.Rate;
        set
        {
            Turns.Limit = value;
            Gate.Rate = value;
        }
    }

    public void Dispose() => Gate.Dispose();
}
