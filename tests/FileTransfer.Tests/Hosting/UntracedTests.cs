using System.Diagnostics;
using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Planning;
using FileTransfer.Feed;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using FileTransfer.Uploads;

namespace FileTransfer.Tests.Hosting;

public sealed class UntracedTests
{
    /// <summary>Also within a request whose caller records it. There is no connection here: whoever asked for a statement would fail.</summary>
    [Fact]
    public void What_nobody_listens_to_allocates_nothing_and_asks_the_database_for_nothing()
    {
        using var request = new Activity("request") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start();
        FileKey[] keys = [new FileKey(new byte[Hash256.Length])];
        Activity?[] downloads = [null];
        var fetch = new PlannerAction.Fetch(new RequestId(1), new SourceId("node a"), keys[0], FetchPart.Whole.Instance);
        var content = new Fingerprint(new byte[Hash256.Length]);
        var claim = new ClaimedReplica(keys[0], content, 1, 1, 0, new AdvisoryLockKey(1), 1, FileProviders.None);
        IsUntold().ShouldBeTrue();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            IsUntold();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        bool IsUntold() =>
            UploadTraces.Receive() is null
            && UploadTraces.ReceiveBatch() is null
            && UploadTraces.Publish(files: 1) is null
            && FeedTraces.Append(MutationKind.Add, 1) is null
            && FeedTraces.NoteAsync(null!, keys, CancellationToken.None).IsCompletedSuccessfully
            && DownloadTraces.Begin(claim, default, default) is null
            && DownloadTraces.Fetch(fetch) is null
            && DownloadTraces.Together("publish", downloads, static download => download) is null;
    }
}
