namespace FileTransfer.Contracts;

/// <summary>A set of files that a node is to have by a deadline.</summary>
/// <param name="Files" example="{&quot;shard-0&quot;:&quot;0x8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1&quot;}">Labels, each with the key of its file; 1 to 100,000.</param>
/// <param name="Metadata">Of files that this cluster may not know yet, by their labels; what is left out is asked of the sources.</param>
/// <param name="Deadline" example="00:02:00">How long it may take, 1 s to 30 days.</param>
/// <param name="Rounds" example="3">After so many rounds in which files could not be had it has failed; left out, it goes on until the deadline.</param>
/// <param name="Pause" example="00:00:02">Between two rounds, up to 1 h; 2 s when left out.</param>
/// <param name="Priority" example="5">0 to 100: of two loads the higher one first, of one priority the newer; 0 when left out.</param>
/// <param name="Sequence" example="17">Numbers the sets under one name: one that is lower than the newest is refused.</param>
/// <param name="Readd" example="false">Files among them that were removed are added again.</param>
public sealed record LoadRequest(
    IReadOnlyDictionary<string, string?>? Files,
    IReadOnlyDictionary<string, FileRegistration?>? Metadata,
    TimeSpan? Deadline,
    int? Rounds,
    TimeSpan? Pause,
    int? Priority,
    long? Sequence,
    bool? Readd
);

/// <summary>A load, and how far it is.</summary>
/// <param name="Id">Another one when the load under the name is another.</param>
/// <param name="State"><c>running</c>, <c>stored</c>, <c>failed</c>, <c>withdrawn</c> or <c>replaced</c>.</param>
/// <param name="Round">The present round, from 1; it begins at <c>roundAt</c>.</param>
/// <param name="Rounds">Null: until the deadline.</param>
/// <param name="Files">How many there are.</param>
/// <param name="Stored">How many are stored here.</param>
/// <param name="Unknown">How many have no metadata yet.</param>
/// <param name="InVain">How many could not be had in this round.</param>
/// <param name="Bytes">Of all files whose metadata is known.</param>
/// <param name="Reason">Why it has failed.</param>
/// <param name="Says">What that means, for a person.</param>
/// <param name="Missing">The first hundred files that are not stored, and why; those that failed it where it has ended.</param>
/// <param name="Sources">What went wrong with sources while it ran.</param>
/// <param name="Labels">All labels with their keys, where they are asked for.</param>
public sealed record LoadResource(
    string Name,
    string Node,
    long Id,
    long Sequence,
    string State,
    DateTimeOffset BegunAt,
    DateTimeOffset Deadline,
    DateTimeOffset? EndedAt,
    int Round,
    int? Rounds,
    DateTimeOffset RoundAt,
    int Priority,
    int Files,
    int Stored,
    int Unknown,
    int InVain,
    long Bytes,
    long BytesProven,
    string? Reason,
    string Says,
    IReadOnlyList<MissingLabel> Missing,
    IReadOnlyList<LoadSource> Sources,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string>? Labels = null
)
{
    public const string Running = "running";
}

/// <summary>A file of a load that is not stored.</summary>
/// <param name="State">This node's replica; <c>unknown</c> without metadata, <c>removed</c>, or <c>absent</c>.</param>
/// <param name="Answers">What each source that was asked for it said last.</param>
public sealed record MissingLabel(string Label, string Key, string State, string? Reason, IReadOnlyList<SourceAnswer> Answers);

public sealed record SourceAnswer(string Source, string Said, DateTimeOffset At);

/// <summary>What went wrong with a source during a load.</summary>
/// <param name="Source">As in <c>GET /v1/sources</c>: a share with the name that it is configured by.</param>
/// <param name="Corrupt">How many of the faults were wrong bytes.</param>
/// <param name="WastedBytes">What came of it and could not be used.</param>
/// <param name="Key">The file of the last one.</param>
/// <param name="Reason">The last one in words; the last one of wrong bytes where there is such.</param>
public sealed record LoadSource(string Source, int Faults, int Corrupt, long WastedBytes, string Key, string Reason);

/// <summary>The loads of a node, those that run first.</summary>
/// <param name="Next">The id of the load to go on after; null on the last page.</param>
public sealed record LoadsResource(string Node, IReadOnlyList<LoadResource> Loads, long? Next = null);
