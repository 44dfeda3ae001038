namespace FileTransfer.Downloads.Planning;

/// <summary>What the planner knows of a source of a wanted file, for a person.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Condition">Whether it can be asked.</param>
/// <param name="Reason">What it last did wrong, for this file or for any.</param>
/// <param name="AskedAgainIn">How long it is left alone.</param>
/// <param name="BytesPerSecond">Its measured rate; null when too little came.</param>
/// <param name="Requests">Requests of this file in flight there.</param>
public sealed record PlannedSource(
    SourceId Id,
    SourceKind Kind,
    SourceCondition Condition,
    string? Reason,
    TimeSpan? AskedAgainIn,
    double? BytesPerSecond,
    int Requests
);
