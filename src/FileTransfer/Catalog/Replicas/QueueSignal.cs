namespace FileTransfer.Catalog.Replicas;

/// <summary>Tells the lanes of this process that the queue may have something ready, or wakes one for what is not in the queue yet.</summary>
public sealed class QueueSignal : AsyncAutoResetEvent
{
    private volatile bool _isDue;

    /// <summary>Whether the queue may have something ready that no lane has looked for since.</summary>
    public bool IsDue => _isDue;

    /// <summary>Wakes a lane; of the queue that says nothing.</summary>
    public void Wake() => Signal();

    /// <summary>A lane is about to look.</summary>
    public void Clear() => _isDue = false;

    protected override void OnSet() => _isDue = true;
}

/// <summary>Tells that replicas at the head of the queue were deferred, and that others behind them may have to be.</summary>
public sealed class DeferralSignal : AsyncAutoResetEvent;
