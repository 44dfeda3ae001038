using System.Buffers;
using System.IO.Pipelines;
using FileTransfer.Chunks;

namespace FileTransfer.Tests.Chunks;

public sealed class ReceivingCostTests
{
    [Fact]
    public async Task Taking_frames_apart_and_proving_them_allocates_nothing_per_megabyte()
    {
        const int mebibytes = 16;
        using var store = new TestStore();
        var content = new SampleContent(mebibytes * 1024 * 1024);
        var body = new ReadOnlySequence<byte>(content.Frames());
        await ReceiveAsync(epoch: 1);

        // Nothing waits here, so all of it is on this thread, and other tests do not count. What is left does not grow with the file.
        var perMebibyte = await ReceiveAsync(epoch: 2) / mebibytes;
        perMebibyte.ShouldBeLessThan(512);

        async Task<long> ReceiveAsync(long epoch)
        {
            using var partial = store.OpenProven(content, epoch);
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var frames = new FrameReader(PipeReader.Create(body), content.Data.Length);
            FrameRead read;
            while ((read = await frames.ReadAsync(CancellationToken.None)).Kind == FrameReadKind.Run)
            {
                partial.Put(read.Run.FirstChunk, read.Run.Bytes.Span);
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            partial.ProveWhole().ShouldBeTrue();
            return allocated;
        }
    }
}
