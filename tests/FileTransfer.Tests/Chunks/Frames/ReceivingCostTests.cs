using System.Buffers;
using System.IO.Pipelines;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Tests.Chunks.Frames;

public sealed class ReceivingCostTests
{
    [Fact]
    public async Task Taking_frames_apart_and_proving_them_allocates_nothing_per_megabyte()
    {
        const int mebibytes = 48;
        using var store = new TestStore();
        await ReceiveAsync(1, epoch: 1);

        // Nothing waits here, so all of it is on this thread, and other tests do not count. A body has a price, whatever its length.
        var ofBody = await ReceiveAsync(1, epoch: 2);
        var perMebibyte = (await ReceiveAsync(mebibytes, epoch: 3) - ofBody) / (mebibytes - 1);
        perMebibyte.ShouldBeLessThan(256);

        async Task<long> ReceiveAsync(int length, long epoch)
        {
            var content = new SampleContent(length * 1024 * 1024);
            var body = new ReadOnlySequence<byte>(content.Frames());
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
