using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

/// <summary>The problems that have to do with one file.</summary>
public static class FileProblems
{
    public static ProblemHttpResult Malformed(string key) =>
        Problem.Of(
            ProblemTypes.FileKeyMalformed,
            $"'{Problem.Quote(key)}' is not a file key: write 64 hex digits, with or without 0x.",
            ("key", Problem.Quote(key))
        );

    public static ProblemHttpResult Unknown(FileKey key) =>
        Problem.Of(
            ProblemTypes.FileUnknown,
            $"No file has the key {key}. GET /v1/files lists those there are; an upload needs PUT /v1/files/{key} first.",
            ("key", key.ToString())
        );

    public static ProblemHttpResult Removed(FileKey key) =>
        Problem.Of(
            ProblemTypes.FileRemoved,
            $"The file {key} was removed. If it is to come back, restore it (POST /v1/files/{key}/restore) while its content is kept, else register it again.",
            ("key", key.ToString()),
            ("state", "removed")
        );

    /// <summary>Why the content of a file cannot be read at this node.</summary>
    public static ProblemHttpResult NotReadable(FileKey key, FileRecord? file, ReplicaRecord? here)
    {
        if (file is null)
        {
            return Unknown(key);
        }

        if (file.State == FileState.Removed)
        {
            return Removed(key);
        }

        var state = here is null ? FileResource.Absent : ReplicaTransitions.NameOf(here.State);
        var reason = here?.Reason is { } words ? $" ({words})" : "";
        return Problem.Of(
            ProblemTypes.FileNotStored,
            $"The file {key} is {state} at this node{reason}. Ask a node that has it stored; GET /v1/files/{key} lists them.",
            ("key", key.ToString()),
            ("state", state)
        );
    }
}
