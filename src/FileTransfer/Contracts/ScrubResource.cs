namespace FileTransfer.Contracts;

/// <summary>How far the scrub of a node is.</summary>
/// <param name="State"><c>running</c> or <c>idle</c>.</param>
/// <param name="Pass">The pass under way.</param>
/// <param name="Last">The last pass that was completed.</param>
/// <param name="NextAt">While it is idle: when the next pass begins by itself.</param>
/// <param name="Damage">Contents that were found damaged, by whomever, and are not back yet; the first hundred.</param>
/// <param name="Found">Contents found damaged since the node started.</param>
/// <param name="Named">The files that somebody named last; null where nobody has since the node started.</param>
public sealed record ScrubResource(
    string State,
    ScrubPassResource? Pass,
    ScrubPassResource? Last,
    DateTimeOffset? NextAt,
    IReadOnlyList<DamageResource> Damage,
    long Found,
    NamedScrubResource? Named = null
);

/// <summary>What to prove: the files of one bucket, or those with these keys, 1000 at most.</summary>
/// <param name="Bucket" example="0x2222222222222222222222222222222222222222222222222222222222222222">A bucket, in hex.</param>
/// <param name="Keys">File keys; each must be stored here.</param>
public sealed record ScrubRequest(string? Bucket, IReadOnlyList<string>? Keys);

/// <summary>A pass over all contents of a node.</summary>
/// <param name="Requested">A person asked for it: it is as fast as <c>FileTransfer:Scrub:BytesPerSecond</c> allows. Else it keeps to the period.</param>
/// <param name="Position">The fingerprint of the content proven last; they are proven in this order.</param>
/// <param name="TotalBytes">Bytes held when it started.</param>
/// <param name="Damaged">Contents that were set aside.</param>
/// <param name="Mended">Contents whose chunk hashes were wrong or missing and were computed again.</param>
public sealed record ScrubPassResource(
    bool Requested,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    string? Position,
    long Contents,
    long Bytes,
    long TotalBytes,
    long Damaged,
    long Mended
);

/// <summary>How far a node is with the files that somebody named.</summary>
/// <param name="EndedAt">Null while some are left.</param>
/// <param name="Files">Files whose contents were proven.</param>
/// <param name="Bytes">Bytes in them.</param>
/// <param name="Damaged">Contents that were set aside, or are not there.</param>
/// <param name="Mended">Contents whose chunk hashes were wrong or missing and were computed again.</param>
public sealed record NamedScrubResource(
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    long Files,
    long Bytes,
    long Damaged,
    long Mended
);

/// <summary>A content that was set aside.</summary>
/// <param name="Kept">Its name in the folder <c>quarantine</c>; the reason is beside it.</param>
public sealed record DamageResource(string Fingerprint, string Reason, string Kept, DateTimeOffset At);
