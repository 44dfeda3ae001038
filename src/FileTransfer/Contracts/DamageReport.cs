namespace FileTransfer.Contracts;

/// <summary>What a reader found wrong with a file that this node sent.</summary>
/// <param name="Chunk" example="17">The chunk that had other bytes; left out where none can be named.</param>
/// <param name="Reason" example="sent chunk 17 with other bytes than the file has">In words, for the log.</param>
public sealed record DamageReport(long? Chunk, string? Reason);

/// <summary>What this node found when it proved its own copy.</summary>
/// <param name="Finding">
/// <c>intact</c>: all of it is right; <c>mended</c>: so it is, but its chunk hashes on disk were not, and have been computed again;
/// <c>damaged</c>: it was set aside and is brought back from another node; <c>absent</c>: it is not here; <c>proving</c>: still at it.
/// </param>
/// <param name="Reason">What is wrong with a damaged one.</param>
public sealed record DamageFinding(string Key, string Finding, string? Reason);
