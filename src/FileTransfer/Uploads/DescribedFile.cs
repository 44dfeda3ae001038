using System.Text.Json.Serialization.Metadata;
using FileTransfer.Catalog;
using FileTransfer.Chunks;

namespace FileTransfer.Uploads;

/// <summary>A file of a batch by its metadata, which may leave its fingerprint and key to its content.</summary>
internal sealed record DescribedFile(FileDescription Description, FileMetadata Metadata)
{
    /// <summary>What an entry's metadata says, or why its file is refused; whatever its content is.</summary>
    public static (DescribedFile? File, ProblemHttpResult? Problem) Read(BatchEntry entry, JsonTypeInfo<FileDescription> type)
    {
        if (entry.IsCut)
        {
            return (null, Cut());
        }

        if (entry.Metadata is null)
        {
            return Refused(ProblemTypes.MetadataInvalid, $"The metadata is longer than {FileBatch.LargestMetadata} bytes.");
        }

        FileDescription? description;
        try
        {
            description = JsonSerializer.Deserialize(entry.Metadata, type);
        }
        catch (JsonException fault)
        {
            return Refused(ProblemTypes.BadRequest, $"The metadata is not the JSON that is expected: {fault.Message}");
        }

        if (description is null)
        {
            return Refused(ProblemTypes.BadRequest, "The metadata is null; write an object.");
        }

        var (metadata, invalid) = description.Read(default(Fingerprint));
        if (metadata is null)
        {
            return Refused(invalid!.Type, invalid.Detail);
        }

        return metadata.Size != entry.Size
            ? Refused(
                ProblemTypes.MetadataInvalid,
                $"The metadata says {metadata.Size} bytes, the number before the content {entry.Size}; write the same."
            )
            : (new DescribedFile(description, metadata), null);
    }

    /// <summary>Why a file is not taken that the body ends in.</summary>
    public static ProblemHttpResult Cut() =>
        Problem.Of(ProblemTypes.UploadInvalid, "The body ends inside this file. Send it again, and those behind it.");

    /// <summary>The file with the content that came: ready to be published, or refused because it is not that.</summary>
    public BatchedFile With(Fingerprint content, ProvenBytes? bytes, Action? makeDurable)
    {
        var metadata = Metadata with { Fingerprint = content };
        var key = metadata.ComputeKey();
        FileKey? given = FileKey.TryParse(Description.Key, out var parsed) ? parsed : null;
        if (Fault(content, key, given) is { } fault)
        {
            bytes?.Dispose();
            return new BatchedFile(given, null, fault);
        }

        return new BatchedFile(key, new ProvenUpload(key, metadata, bytes, makeDurable), null);
    }

    private ProblemHttpResult? Fault(Fingerprint content, FileKey key, FileKey? given)
    {
        if (Description.Fingerprint is not null && content != Metadata.Fingerprint)
        {
            return Problem.Of(
                ProblemTypes.FingerprintMismatch,
                $"The bytes have the fingerprint {content}, not {Metadata.Fingerprint}; send the file's own content."
            );
        }

        if (Description.Key is null || given == key)
        {
            return null;
        }

        return given is null
            ? FileProblems.Malformed(Description.Key)
            : Problem.Of(ProblemTypes.KeyMismatch, $"The key {given} is not that of this metadata, {key}. Correct one of them.");
    }

    private static (DescribedFile?, ProblemHttpResult) Refused(ProblemType type, string detail) =>
        (null, Problem.Of(type, detail));
}
