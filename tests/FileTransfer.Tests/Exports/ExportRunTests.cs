using System.Runtime.CompilerServices;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Exports;
using FileTransfer.Identity;
using FileTransfer.Tests.Cli;

namespace FileTransfer.Tests.Exports;

public sealed class ExportRunTests : IDisposable
{
    private readonly CliHarness _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_export_that_is_cancelled_in_mid_file_keeps_what_has_come_and_the_next_one_goes_on_there()
    {
        var content = CliHarness.Bytes(10 * 1024);
        var file = new ExportFile(CliHarness.Metadata("a", content).ComputeKey(), CliHarness.Metadata("a", content));
        using var cancel = new CancellationTokenSource();
        var origin = new OneFile(file, content) { StopsAt = 4 * 1024, Stopped = cancel.Cancel };

        await Should.ThrowAsync<OperationCanceledException>(() => RunAsync(origin, cancel.Token));

        var path = Path.Combine(_folder.PathOf("share"), file.Key.ToHex());
        File.Exists(path).ShouldBeFalse();
        origin.StopsAt = null;
        var counts = await RunAsync(origin, CancellationToken.None);
        counts.Exported.ShouldBe(new Dictionary<ExportMeans, int> { [ExportMeans.Copy] = 1 });
        origin.Began.ShouldBe([0, 4 * 1024]);
        (await File.ReadAllBytesAsync(path)).ShouldBe(content);
    }

    [Fact]
    public async Task What_an_export_writes_leaves_free_what_is_to_stay_free()
    {
        var content = CliHarness.Bytes(10 * 1024);
        var file = new ExportFile(CliHarness.Metadata("a", content).ComputeKey(), CliHarness.Metadata("a", content));

        var fault = await Should.ThrowAsync<IOException>(() =>
            RunAsync(new OneFile(file, content), CancellationToken.None, floor: long.MaxValue / 2)
        );

        fault.Message.ShouldContain("needs 10240 more bytes");
        Directory.EnumerateFiles(_folder.PathOf("share")).ShouldHaveSingleItem().ShouldEndWith(".export.lock");
    }

    private async Task<ExportCounts> RunAsync(OneFile origin, CancellationToken cancellationToken, long floor = 0)
    {
        using var share = ExportFolder.TryOpen(_folder.PathOf("share"), new FreeSpaceFloor(floor))!;
        var order = new ExportOrder(new ExportFilter(null, null), null, false, null);
        var run = new ExportRun(origin, share, order, new NoWatcher(), TimeProvider.System);
        await run.RunAsync(cancellationToken);
        return run.Counts;
    }

    private sealed class NoWatcher : IExportWatcher, IExportProgress
    {
        public IExportProgress Begin(ExportFile file) => this;

        public void Tell(ExportFile file, ExportMeans? means) { }

        public void Fail(FileKey key, Exception fault) => throw fault;

        public void Report(long value) { }

        public void Dispose() { }
    }

    /// <summary>Gives a chunk at a time.</summary>
    private sealed class OneFile(ExportFile file, byte[] content) : IExportOrigin
    {
        public int? StopsAt { get; set; }

        public Action Stopped { get; init; } = () => { };

        public List<long> Began { get; } = [];

        public async IAsyncEnumerable<ExportFile> FilesAsync(
            ExportFilter filter,
            [EnumeratorCancellation] CancellationToken cancellationToken
        )
        {
            await Task.CompletedTask;
            yield return file;
        }

        public Task<ExportFile> FindAsync(FileKey key, CancellationToken cancellationToken) => Task.FromResult(file);

        public Task<bool> HasRemovedAsync(FileKey key, CancellationToken cancellationToken) => Task.FromResult(false);

        public async Task<ExportMeans> FetchAsync(
            ExportFile one,
            DownloadTarget target,
            IProgress<long> progress,
            CancellationToken cancellationToken
        )
        {
            Began.Add(target.BytesWritten);
            while (target.BytesWritten < target.Size)
            {
                if (target.BytesWritten == StopsAt)
                {
                    Stopped();
                }

                var chunk = content.AsMemory((int)target.BytesWritten, 1024);
                await target.WriteAsync(target.NextChunk, chunk, cancellationToken);
            }

            target.Prove().ShouldBeTrue();
            return ExportMeans.Copy;
        }

        public ExportFault FaultOf(Exception fault) => ExportFault.OfAll;
    }
}
