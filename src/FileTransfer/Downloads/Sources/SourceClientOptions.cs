using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <summary>How slow sources may be, and how fast this node wants to be.</summary>
/// <param name="StallFloorBytesPerSecond">A source that stays below it for a <paramref name="StallPeriod"/> is given up; 0 waits for ever.</param>
/// <param name="LongestToFirstByte">How long a source may take to the head of an answer; the planner's patience with it may end before.</param>
/// <param name="AcquireAsync">Waits until so many bytes from a source may be taken.</param>
public sealed record SourceClientOptions(
    int StallFloorBytesPerSecond,
    TimeSpan StallPeriod,
    Func<TimeSpan> LongestToFirstByte,
    Func<SourceId, int, CancellationToken, ValueTask> AcquireAsync,
    TimeProvider Time
);
