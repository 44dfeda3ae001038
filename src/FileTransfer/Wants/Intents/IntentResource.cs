using System.Text.Json.Serialization;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;

namespace FileTransfer.Wants.Intents;

/// <summary>An intent as JSON, with where its file stands at this node.</summary>
/// <param name="Outcome"><c>stored</c>, <c>failed</c>, <c>removed</c> or <c>withdrawn</c>; null while the intent stands.</param>
/// <param name="State">This node's replica of the file; <c>absent</c> where there is none.</param>
/// <param name="Sources">The other nodes that have the file stored.</param>
/// <param name="Says">What that means, for a person.</param>
public sealed record IntentResource(
    Guid Id,
    string Key,
    string Node,
    string? Caller,
    DateTimeOffset AskedAt,
    DateTimeOffset? EndedAt,
    string? Outcome,
    string State,
    long BytesProven,
    long Size,
    string? Reason,
    IReadOnlyList<string> Sources,
    string Says
)
{
    public static IntentResource Of(
        IntentRecord intent,
        FileRecord file,
        IReadOnlyList<ReplicaRecord> replicas,
        NodeId here,
        string says
    )
    {
        var replica = replicas.FirstOrDefault(candidate => candidate.Node == here);
        return new IntentResource(
            intent.Id,
            file.Key.ToString(),
            here.Value,
            intent.Caller,
            intent.AskedAt,
            intent.EndedAt,
            intent.Outcome?.ToString().ToLowerInvariant(),
            replica is null ? FileResource.Absent : ReplicaTransitions.NameOf(replica.State),
            replica?.BytesProven ?? 0,
            file.Size,
            intent.Reason ?? replica?.Reason,
            SourcesOf(replicas, here),
            says
        );
    }

    public static IReadOnlyList<string> SourcesOf(IReadOnlyList<ReplicaRecord> replicas, NodeId here) =>
        [
            .. replicas
                .Where(replica => replica.State == ReplicaState.Stored && replica.Node != here)
                .Select(replica => $"node {replica.Node}"),
        ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IntentResource))]
internal sealed partial class IntentJson : JsonSerializerContext;
