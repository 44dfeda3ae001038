using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Folder;
using FileTransfer.Cluster;
using FileTransfer.Downloads;
using FileTransfer.Feed;

namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class StoreCheck(ChunkStore store) : LocalCheck
    {
        protected override Finding Find()
        {
            try
            {
                return store.CanBeRead()
                    ? Finding.Healthy("contents can be read")
                    : Finding.Unhealthy($"the data folder {store.DataDirectory} has lost its folder of contents; mount it again");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Finding.Unhealthy($"contents cannot be read: {e.Message}");
            }
        }
    }

    private sealed class ContentsCheck(DamagedContents damaged) : LocalCheck
    {
        protected override Finding Find()
        {
            var open = damaged.Open;
            return open.Count == 0
                ? Finding.Healthy("no content is known to be damaged")
                : Finding.Degraded(
                    $"{open.Count} damaged contents were set aside and are not back yet, the first of them {open[0].Fingerprint}: "
                        + open[0].Reason,
                    open[0].At
                );
        }
    }

    private sealed class DiskCheck(DiskPressure disk) : LocalCheck
    {
        protected override Finding Find()
        {
            try
            {
                return !disk.AllowsDownloads() ? Finding.Degraded($"downloads and uploads are refused: {disk.Reason}", disk.Since)
                    : disk.Shortage is { } shortage ? Finding.Degraded($"a download waits for room: {shortage}")
                    : disk.Hindrance is { } hindrance ? Finding.Degraded($"a download cannot be written: {hindrance}")
                    : Finding.Healthy("there is room");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Finding.Unhealthy($"the disk does not say how much is free: {e.Message}");
            }
        }
    }

    private sealed class ReconciliationCheck(StartupReconciler reconciler) : LocalCheck
    {
        protected override Finding Find() =>
            reconciler.Fault is { } fault
                ? Finding.Degraded($"disk and catalog could not be compared to the end, which is tried again: {fault}")
            : reconciler.Progress is { } progress
                ? Finding.Healthy(
                    $"disk and catalog are being compared: {progress.Compared} of {progress.Total} files; downloads go on meanwhile"
                )
            : reconciler.HasRun ? Finding.Healthy("disk and catalog have been compared since the start")
            : Finding.Healthy("disk and catalog are compared as soon as the node has joined");
    }

    private sealed class OrphansCheck(OrphanCollector orphans, NodeFile folder) : LocalCheck
    {
        protected override Finding Find() =>
            orphans.WaitsBecause is { } reason
                ? Finding.Degraded(reason, folder.Hold?.Since)
                : Finding.Healthy("no content waits for a person");
    }

    private sealed class QueueCheck(
        FeedReader feed,
        ClusterMembership membership,
        Database database,
        DiskPressure disk,
        PausedDownloads paused
    ) : LocalCheck
    {
        protected override Finding Find() =>
            !database.IsReady || database.Reach.Outage is not null
                ? Finding.Degraded("nothing is queued or downloaded while the database is away", database.Reach.Outage?.Since)
            : !membership.IsJoined
                ? Finding.Degraded(
                    $"nothing is queued or downloaded: this node has not joined the cluster: {membership.NotJoinedBecause}"
                )
            : feed.Fault is { } fault ? Finding.Degraded(fault)
            : paused.OfAll is { } pause ? Finding.Degraded($"no download starts: {pause.Reason}", pause.PausedAt)
            : disk.Reason is { } full ? Finding.Degraded($"no download starts: {full}", disk.Since)
            : Finding.Healthy("the feed reaches the queue, and downloads may start");
    }

    private sealed class FilesCheck(ReplicaTable replicas, NodeId here, Database database) : ReadinessCheck
    {
        protected override async ValueTask<Finding> FindAsync(CancellationToken cancellationToken)
        {
            if (!database.IsReady || database.Reach.Outage is not null)
            {
                return Finding.Degraded(
                    "which files are missing cannot be told while the database is away",
                    database.Reach.Outage?.Since
                );
            }

            if (await replicas.FailedAsync(here, cancellationToken) is not { } failed)
            {
                return Finding.Healthy("no file has failed");
            }

            var files = failed.Count switch
            {
                1 => "1 file has failed",
                > FailedReplicas.MostCounted => $"more than {FailedReplicas.MostCounted} files have failed",
                var count => $"{count} files have failed",
            };
            return Finding.Degraded(
                $"{files}; the last of them, {failed.Latest}: {failed.LatestReason?.TrimEnd('.') ?? "no reason is known"}. "
                    + $"See 'filetransfer explain {failed.Latest}'",
                failed.Since
            );
        }
    }
}
