namespace FileTransfer.Cli.Simulation;

/// <summary>A clock that jumps from one thing that happens to the next. What is due at the same moment happens in the order it was planned.</summary>
internal sealed class VirtualTime
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _due = new();
    private long _order;

    public TimeSpan Now { get; private set; }

    /// <summary>Things that happened.</summary>
    public long Count { get; private set; }

    public void After(TimeSpan delay, Action happens) => At(Now + delay, happens);

    public void At(TimeSpan at, Action happens) => _due.Enqueue(happens, (at > Now ? at : Now, _order++));

    /// <summary>Lets the next thing happen; false when nothing is due any more.</summary>
    public bool Step()
    {
        if (!_due.TryDequeue(out var happens, out var when))
        {
            return false;
        }

        Now = when.At;
        Count++;
        happens();
        return true;
    }
}
