using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Intents;

/// <summary>Intents as JSON.</summary>
public static class IntentResources
{
    extension(IntentResource)
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
}
