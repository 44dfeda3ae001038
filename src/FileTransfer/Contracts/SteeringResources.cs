namespace FileTransfer.Contracts;

/// <summary>What is paused or resumed at a node: everything where neither bucket nor key is named.</summary>
/// <param name="Bucket" example="0x02">All files of this bucket.</param>
/// <param name="Key">One file.</param>
/// <param name="For" example="2h">It resumes by itself after this, 24 h at most; 24 h when left out.</param>
/// <param name="Forever">It does not resume by itself.</param>
public sealed record PauseRequest(string? Bucket = null, string? Key = null, string? For = null, bool? Forever = null);

/// <summary>What a person has paused at a node, after what was asked for.</summary>
/// <param name="DryRun">Nothing was changed: these are the files that would be.</param>
/// <param name="Files">Files that were set aside, or are wanted again.</param>
/// <param name="Downloads">Downloads under way that were stopped; what they had is kept.</param>
public sealed record PausesResource(string Node, IReadOnlyList<PauseResource> Pauses, bool? DryRun, long? Files, int? Downloads);

/// <summary>One pause: of everything where neither bucket nor key is named.</summary>
/// <param name="Until">When it ends by itself; null = never.</param>
/// <param name="By" example="operator">The name of the token that asked for it.</param>
public sealed record PauseResource(string? Bucket, string? Key, DateTimeOffset? Until, string? By, DateTimeOffset PausedAt);

/// <summary>A node that stops.</summary>
/// <param name="Running">Requests that run, this one among them.</param>
/// <param name="WithinSeconds" example="20">How long they may take.</param>
public sealed record DrainResource(string Node, int Running, double WithinSeconds);
