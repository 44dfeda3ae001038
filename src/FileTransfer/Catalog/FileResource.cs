using System.Text.Json.Serialization;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;

namespace FileTransfer.Catalog;

/// <summary>A file as JSON. Bytes are hex with <c>0x</c>; sizes are bytes; times are UTC.</summary>
/// <param name="Location">The location as text; left out where it is not UTF-8.</param>
/// <param name="LocationHex">The location in hex, where it is not UTF-8.</param>
/// <param name="FileState"><c>registered</c> (the leader has no content yet), <c>added</c> or <c>removed</c>.</param>
/// <param name="State">This node's replica: <c>wanted</c>, <c>downloading</c>, <c>stored</c>, <c>removing</c>, <c>failed</c>, <c>paused</c> or <c>absent</c>.</param>
/// <param name="Replicas">Every node's replica; left out in listings.</param>
/// <param name="NotWantedAt">The nodes that have no replica because their policy does not want the file; only where one file is asked for.</param>
public sealed record FileResource(
    string Key,
    string Owner,
    string Bucket,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Location,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? LocationHex,
    long Size,
    string Fingerprint,
    string FileState,
    DateTimeOffset RegisteredAt,
    DateTimeOffset? RemovedAt,
    string State,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ReplicaResource>? Replicas,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? NotWantedAt = null
)
{
    public const string Absent = "absent";

    public static FileResource Of(FileRecord file, NodeId here, IReadOnlyList<ReplicaRecord> replicas) =>
        Of(file, replicas.FirstOrDefault(replica => replica.Node == here)?.State) with
        {
            Replicas = replicas.Select(replica => ReplicaResource.Of(replica, file.Size)).ToList(),
        };

    public static FileResource Of(FileRecord file, ReplicaState? stateHere)
    {
        var location = file.Metadata.Location.AsUtf8();
        return new FileResource(
            file.Key.ToString(),
            file.Metadata.Owner.ToString(),
            file.Metadata.Bucket.ToString(),
            location,
            location is null ? file.Metadata.Location.ToString() : null,
            file.Size,
            file.Fingerprint.ToString(),
            file.State.ToString().ToLowerInvariant(),
            file.RegisteredAt,
            file.RemovedAt,
            stateHere is { } state ? ReplicaTransitions.NameOf(state) : Absent,
            null
        );
    }
}

/// <summary>One node's replica as JSON.</summary>
/// <param name="Progress">Proven part of the content, 0 to 1.</param>
/// <param name="Reason">Why it is not stored, in words.</param>
/// <param name="NextAttemptAt">When it is tried again; null when it is not waiting for a time.</param>
public sealed record ReplicaResource(
    string Node,
    string State,
    long BytesProven,
    double Progress,
    string? Reason,
    int Attempts,
    DateTimeOffset? NextAttemptAt,
    long Epoch,
    DateTimeOffset ChangedAt
)
{
    public static ReplicaResource Of(ReplicaRecord replica, long size) =>
        new(
            replica.Node.Value,
            ReplicaTransitions.NameOf(replica.State),
            replica.BytesProven,
            Math.Round((double)replica.BytesProven / size, 4),
            replica.Reason,
            replica.Attempts,
            replica.NextAttemptAt == DateTimeOffset.MaxValue ? null : replica.NextAttemptAt,
            replica.Epoch,
            replica.ChangedAt
        );
}

/// <summary>A page of a listing.</summary>
/// <param name="Next">The value of <c>after</c> for the next page; null on the last one.</param>
public sealed record FileListing(IReadOnlyList<FileResource> Files, string? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ScrubResource))]
[JsonSerializable(typeof(ScrubRequest))]
[JsonSerializable(typeof(DamageReport))]
[JsonSerializable(typeof(DamageFinding))]
[JsonSerializable(typeof(FileResource))]
[JsonSerializable(typeof(FileListing))]
internal sealed partial class CatalogJson : JsonSerializerContext;
