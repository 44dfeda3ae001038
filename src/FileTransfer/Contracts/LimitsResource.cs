namespace FileTransfer.Contracts;

/// <summary>The limits of a node.</summary>
/// <param name="Node">The node that was asked: each has limits of its own.</param>
/// <param name="InForce">What counts: <c>set</c>, and <c>configured</c> where it leaves something out.</param>
/// <param name="Configured">As in the node's configuration.</param>
/// <param name="Set">As set at run time; null when nothing is.</param>
/// <param name="Now">The rates of the present time of day.</param>
public sealed record LimitsResource(string Node, LimitSet InForce, LimitSet Configured, LimitSet? Set, RatesNow Now);

/// <summary>The rates in force now.</summary>
/// <param name="PerSource">By name, as in <c>inForce</c>.</param>
public sealed record RatesNow(RateNow Download, RateNow Upload, IReadOnlyDictionary<string, RateNow> PerSource);

/// <summary>A rate and how long it lasts.</summary>
/// <param name="Rate" example="10MiB/s">The rate, or <c>unlimited</c>.</param>
/// <param name="BytesPerSecond" example="10485760">The same as a number; null when unlimited.</param>
/// <param name="Until">When the timetable has another; null = never.</param>
/// <param name="Then" example="50MiB/s">The rate from then on.</param>
public sealed record RateNow(string Rate, long? BytesPerSecond, DateTimeOffset? Until, string? Then);
