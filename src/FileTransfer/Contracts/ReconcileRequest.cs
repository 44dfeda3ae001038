namespace FileTransfer.Contracts;

/// <summary>Some decisions, the body of <c>POST /v1/reconcile</c>.</summary>
/// <param name="Files">At most 1000.</param>
public sealed record ReconcileRequest(IReadOnlyList<ReconcileFileResource>? Files);

/// <summary>What is to become of a file.</summary>
/// <param name="Key">64 hex digits.</param>
/// <param name="Restore">Its metadata, where it is to be registered and added again; null where it is to be removed.</param>
/// <param name="PinnedAt">The nodes at which it was registered or uploaded, which want it whatever their policies say.</param>
/// <param name="State">The state in the catalog that was decided on; null where the catalog did not know the file.</param>
/// <param name="Generation">The number of the registration that was decided on; 0 where the catalog did not know the file.</param>
public sealed record ReconcileFileResource(
    string? Key,
    FileRegistration? Restore,
    IReadOnlyList<string>? PinnedAt,
    string? State,
    int Generation
);

/// <summary>What was done.</summary>
/// <param name="Changed">The files that something else has happened to since it was decided; nothing was done with them.</param>
public sealed record ReconcileResource(int Restored, int Removed, IReadOnlyList<string> Changed);
