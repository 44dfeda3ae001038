using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

/// <summary>Files and replicas of the catalog as JSON.</summary>
public static class FileResources
{
    extension(FileResource)
    {
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
                stateHere is { } state ? ReplicaTransitions.NameOf(state) : FileResource.Absent,
                null
            );
        }
    }

    extension(ReplicaResource)
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
}
