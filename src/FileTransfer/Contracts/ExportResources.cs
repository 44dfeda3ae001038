namespace FileTransfer.Contracts;

/// <summary>Stored files of a node that it is to write to a folder of its own, which any web server can share.</summary>
/// <param name="Name" example="mirror">The folder below the one that the configuration names: 1 to 64 letters, digits, '.', '_' or '-', and no '.' first.</param>
/// <param name="Bucket">Only files of this bucket, in hex.</param>
/// <param name="Location" example="photos/">Only files whose location begins with this text.</param>
/// <param name="Keys">These files instead, up to 100,000.</param>
/// <param name="Verify" example="false">What is in the folder already is read and proven.</param>
/// <param name="Prune" example="true">What the cluster has removed is taken out of the folder.</param>
/// <param name="Hold" example="1.00:00:00">So long after an export has found it removed, up to 30 days; at once when left out.</param>
/// <param name="Link" example="false">The folder gets the node's own content files, under one more name, where both are on one disk.</param>
public sealed record ExportRequest(
    string? Name,
    string? Bucket,
    string? Location,
    IReadOnlyList<string>? Keys,
    bool? Verify,
    bool? Prune,
    TimeSpan? Hold,
    bool? Link
);

/// <summary>An export, and how far it is.</summary>
/// <param name="State"><c>running</c>, <c>done</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="Files">How many it is about, as far as they were stored when it began.</param>
/// <param name="Bytes">Of these.</param>
/// <param name="Kept">How many were in the folder already.</param>
/// <param name="Exported">How many were written, by <c>copy</c>, <c>reflink</c> (they share their blocks with the store) and <c>link</c>.</param>
/// <param name="Gone">How many were removed meanwhile.</param>
/// <param name="Failed">How many could not be written.</param>
/// <param name="Pruned">How many were taken out.</param>
/// <param name="Held">How many are to be, and are held.</param>
/// <param name="BytesDone">Of what is in the folder whole, and of what is under way.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Failures">The first hundred files that could not be written.</param>
public sealed record ExportResource(
    string Name,
    string Folder,
    string State,
    DateTimeOffset BegunAt,
    DateTimeOffset? EndedAt,
    long Files,
    long Bytes,
    int Kept,
    IReadOnlyDictionary<string, int> Exported,
    int Gone,
    int Failed,
    int Pruned,
    int Held,
    long BytesDone,
    string? Reason,
    IReadOnlyList<ExportFailure> Failures
)
{
    public const string Running = "running";
}

public sealed record ExportFailure(string Key, string Reason);

/// <summary>The last export under each name since this node started.</summary>
public sealed record ExportsResource(string Node, IReadOnlyList<ExportResource> Exports);
