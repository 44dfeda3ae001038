using System.Diagnostics;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Feed;
using FileTransfer.Serving;

namespace FileTransfer.Downloads.Sources;

/// <summary>Fetches small contents from a node: those that are wanted at the same time in one request.</summary>
/// <remarks>
/// What is wanted while a batch is under way waits for the next one; a second one is begun beside it only when it would be full. So a
/// batch is asked for each <see cref="BatchWeight.All"/> shares at the most, which is how the planner counts requests.
/// </remarks>
internal sealed partial class BatchFetcher(NodeSource source, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Queue<Item> _waiting = [];
    private int _waitingShares;
    private int _open;

    /// <summary>Fetches a content into memory, proven.</summary>
    public async Task<ProvenBytes> FetchAsync(
        FileKey key,
        Fingerprint fingerprint,
        int size,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        var item = new Item(key, fingerprint, size, progress);
        await using var cancelling = cancellationToken.UnsafeRegister(static (item, token) => ((Item)item!).Cancel(token), item);
        if (Enqueue(item))
        {
            _ = Task.Run(FetchBatchesAsync, CancellationToken.None);
        }

        return await item.Content;
    }

    /// <summary>True when a batch is to be begun.</summary>
    private bool Enqueue(Item item)
    {
        lock (_gate)
        {
            _waiting.Enqueue(item);
            _waitingShares += item.Share;
            var begins = _open == 0 || _waitingShares >= BatchWeight.All;
            _open += begins ? 1 : 0;
            return begins;
        }
    }

    /// <summary>What goes into the next batch; nothing when there is none to fetch.</summary>
    private List<Item> TakeNext()
    {
        var batch = new List<Item>();
        var shares = 0;
        lock (_gate)
        {
            while (_waiting.TryPeek(out var item) && shares + item.Share <= BatchWeight.All)
            {
                _waiting.Dequeue();
                _waitingShares -= item.Share;
                if (item.IsWanted)
                {
                    batch.Add(item);
                    shares += item.Share;
                }
            }

            _open -= batch.Count == 0 ? 1 : 0;
        }

        return batch;
    }

    private async Task FetchBatchesAsync()
    {
        // That of whoever was the first to wait.
        Activity.Current = null;
        while (TakeNext() is { Count: > 0 } batch)
        {
            using var trace = DownloadTraces.Together("deliver", batch, static item => item.Trace);
            using var unwanted = new CancellationTokenSource();
            batch.ForEach(item => item.Join(batch, unwanted));
            try
            {
                var progress = new FetchProgress(() => batch.ForEach(item => item.Answered()), _ => { }, time);
                await using var body = await source.OpenBatchAsync(batch.Select(item => item.Key), progress, unwanted.Token);
                foreach (var item in batch)
                {
                    await ReceiveAsync(item, body, unwanted.Token);
                }
            }
            catch (Exception fault)
            {
                batch.ForEach(item => item.Fail(fault));
            }
            finally
            {
                batch.ForEach(item => item.Join(batch, null));
            }
        }
    }

    private async Task ReceiveAsync(Item item, SourceBody body, CancellationToken cancellationToken)
    {
        var header = new byte[ContentBatch.HeaderLength];
        await body.ReadExactlyAsync(header, "a delivery", _ => { }, cancellationToken);
        var size = BinaryPrimitives.ReadInt64LittleEndian(header);
        if (size == ContentBatch.NotDelivered)
        {
            Count(SyncMetrics.Missing);
            item.Fail(source.NotFound());
            return;
        }

        if (size != item.Size)
        {
            Count(SyncMetrics.Unsolicited);
            item.Fail(source.NotTheFile($"has {size} bytes of content where the file has {item.Size}"));
            throw source.Fault(SourceFaultKind.EndedEarly, "sent a delivery that cannot be read on");
        }

        var owner = MemoryPool<byte>.Shared.Rent(item.Size);
        try
        {
            var bytes = owner.Memory[..item.Size];
            await body.ReadExactlyAsync(bytes, "a content", item.Received, cancellationToken);
            if (ProvenBytes.TryProve(item.Fingerprint, bytes, owner) is { } proven)
            {
                Count(SyncMetrics.Delivered);
                item.Complete(proven);
                return;
            }
        }
        catch
        {
            owner.Dispose();
            throw;
        }

        owner.Dispose();
        Count(SyncMetrics.Unsolicited);
        item.Fail(source.CorruptWhole());
    }

    private void Count(Action what)
    {
        if (source.IsOutside)
        {
            what();
        }
    }
}
