using FileTransfer.Uploads.Ingest;

namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class IngestCheck(WatchedFolders watched, IngestStatus status) : ReadinessCheck
    {
        protected override async ValueTask<Finding> FindAsync(CancellationToken cancellationToken)
        {
            if (watched.All.FirstOrDefault(folder => folder.Fault is not null) is { } faulty)
            {
                return Finding.Degraded($"the watched folder '{faulty.Options.Name}' cannot be taken: {faulty.Fault}");
            }

            return watched.All.Count > 0 && await status.ConflictsAsync(cancellationToken) is var (folder, name, count)
                ? Finding.Degraded(
                    $"{count} names in watched folders have other bytes than when they were ingested, the first of them {name} in '{folder}'. "
                        + "See 'filetransfer ingest status'"
                )
                : Finding.Healthy(watched.All.Count > 0 ? "watched folders are taken as they fill" : "no folder is watched");
        }
    }
}
