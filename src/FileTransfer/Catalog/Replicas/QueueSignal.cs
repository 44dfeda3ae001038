namespace FileTransfer.Catalog.Replicas;

/// <summary>Tells the lanes of this process that the queue may have something ready.</summary>
public sealed class QueueSignal : AsyncAutoResetEvent;

/// <summary>Tells that replicas at the head of the queue were deferred, and that others behind them may have to be.</summary>
public sealed class DeferralSignal : AsyncAutoResetEvent;
