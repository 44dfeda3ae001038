using System.Text.Json;
using System.Text.Json.Serialization;
using FileTransfer.Catalog.Repair;
using FileTransfer.Identity;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Client;

/// <summary>The metadata of a file as <c>PUT /v1/files/{key}</c> takes it; <c>locationHex</c> where the location is not UTF-8.</summary>
public sealed record Registration(
    string Owner,
    string Bucket,
    string? Location,
    string? LocationHex,
    ulong Size,
    string Fingerprint
)
{
    public static Registration Of(FileMetadata metadata)
    {
        var text = metadata.Location.AsUtf8();
        return new Registration(
            metadata.Owner.ToString(),
            metadata.Bucket.ToString(),
            text,
            text is null ? metadata.Location.ToString() : null,
            metadata.Size,
            metadata.Fingerprint.ToString()
        );
    }
}

/// <summary>A file as a node describes it.</summary>
public sealed record FileAnswer(
    string Key,
    string Owner,
    string Bucket,
    string? Location,
    string? LocationHex,
    ulong Size,
    string Fingerprint,
    string? FileState,
    DateTimeOffset? RegisteredAt,
    DateTimeOffset? RemovedAt,
    string? State,
    IReadOnlyList<ReplicaAnswer>? Replicas,
    IReadOnlyList<string>? NotWantedAt = null
)
{
    [JsonIgnore]
    public bool IsRemoved => FileState == "removed";

    /// <summary>The metadata, or null where it is not well formed.</summary>
    public FileMetadata? ToMetadata() =>
        ByteString.TryParseHex(Owner, out var owner)
        && ByteString.TryParseHex(Bucket, out var bucket)
        && Identity.Fingerprint.TryParse(Fingerprint, out var fingerprint)
        && ReadLocation() is { } location
            ? new FileMetadata(owner, bucket, location, Size, fingerprint)
            : null;

    private ByteString? ReadLocation() =>
        Location is not null ? ByteString.FromUtf8(Location)
        : ByteString.TryParseHex(LocationHex, out var octets) ? octets
        : null;
}

/// <summary>A page of a listing, and the key that the next one begins after; null on the last.</summary>
public sealed record ListingAnswer(IReadOnlyList<FileAnswer> Files, string? Next);

/// <summary>One node's copy of a file; its progress goes from 0 to 1.</summary>
public sealed record ReplicaAnswer(
    string Node,
    string State,
    long? BytesProven,
    double? Progress,
    string? Reason,
    int? Attempts,
    DateTimeOffset? NextAttemptAt,
    long? Epoch,
    DateTimeOffset? ChangedAt
);

public sealed record ClusterAnswer(string? Cluster, string? Leader, IReadOnlyList<NodeAnswer> Nodes);

public sealed record NodeAnswer(
    string Node,
    string? Role,
    string? ConfiguredRole,
    string? Url,
    DateTimeOffset? StartedAt,
    DateTimeOffset? SeenAt,
    bool Alive,
    long Stored,
    long Wanted,
    long Downloading,
    long Failed,
    long Removing,
    long? Lag
)
{
    /// <summary>What this node still has to bring or take away.</summary>
    [JsonIgnore]
    public long Pending => Wanted + Downloading + Removing;
}

/// <summary>A node that was taken out of the cluster; <c>onlyCopies</c> counts the files that no other node has stored.</summary>
public sealed record NodeRemovalAnswer(string Node, long Replicas, long OnlyCopies);

public sealed record LeaderAnswer(string Node, string? Url, long? Epoch, DateTimeOffset? Since);

/// <summary>An intent at a node; it has ended when there is an outcome.</summary>
public sealed record IntentAnswer(
    Guid Id,
    string Key,
    string Node,
    string? Outcome,
    string State,
    long BytesProven,
    long Size,
    string? Reason,
    string? Says
);

public sealed record HealthAnswer(string? Status, IReadOnlyDictionary<string, HealthCheckAnswer>? Checks);

public sealed record HealthCheckAnswer(string? Status, string? Detail, DateTimeOffset? Since = null);

/// <summary>A problem (RFC 9457), with the extension that names the leader.</summary>
public sealed record ProblemBody(string? Type, string? Title, int? Status, string? Detail, string? LeaderUrl, long? Chunk = null);

/// <summary>A policy as <c>PUT /v1/buckets/{bucket}/policy</c> takes it.</summary>
public sealed record PolicyBody(string Kind, IReadOnlyList<string> Filters)
{
    public static PolicyBody Of(Policy policy) =>
        new(Policy.NameOf(policy.Kind), [.. policy.Filters.Select(filter => filter.ToString())]);
}

public sealed record PolicyAnswer(string Bucket, string Kind, IReadOnlyList<string> Filters, DateTimeOffset? ChangedAt);

/// <summary>A policy that has taken effect, with the numbers of files it did something to.</summary>
public sealed record PolicyChangeAnswer(
    string Bucket,
    string Kind,
    IReadOnlyList<string> Filters,
    DateTimeOffset? ChangedAt,
    long Wanted,
    long Withdrawn,
    long Pruned,
    long Kept,
    IReadOnlyList<string> KeptKeys
);

/// <summary>A file that a node wants and lacks; <c>sources</c> are the other nodes that have it stored.</summary>
public sealed record MissingAnswer(
    string Key,
    string? Location,
    string? LocationHex,
    long Size,
    string State,
    long BytesProven,
    string? Reason,
    DateTimeOffset? NextAttemptAt,
    int Sources
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(Registration))]
[JsonSerializable(typeof(FileAnswer))]
[JsonSerializable(typeof(ListingAnswer))]
[JsonSerializable(typeof(ClusterAnswer))]
[JsonSerializable(typeof(LeaderAnswer))]
[JsonSerializable(typeof(NodeRemovalAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(ProblemBody))]
[JsonSerializable(typeof(IntentAnswer))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(PolicyBody))]
[JsonSerializable(typeof(PolicyAnswer))]
[JsonSerializable(typeof(PolicyChangeAnswer))]
[JsonSerializable(typeof(MissingAnswer))]
[JsonSerializable(typeof(ScrubResource))]
[JsonSerializable(typeof(ScrubRequest))]
[JsonSerializable(typeof(KeyLine))]
internal sealed partial class NodeJson : JsonSerializerContext;
