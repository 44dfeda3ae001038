using System.Buffers;
using System.Buffers.Binary;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using FileTransfer.Serving;

namespace FileTransfer.Downloads.Sources;

/// <summary>Fetches small contents from a node: those that are wanted at the same time in one request.</summary>
/// <remarks>
/// What is wanted while a delivery is under way waits for the next one; a second one is begun beside it only when it would be full. So a
/// delivery is asked for each <see cref="BatchWeight.All"/> shares at the most, which is how the planner counts requests.
/// </remarks>
internal sealed class BatchFetcher(NodeSource source, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Queue<Order> _waiting = [];
    private int _waitingShares;
    private int _open;

    /// <summary>Brings a content into memory, proven.</summary>
    public async Task<ProvenBytes> FetchAsync(
        FileKey key,
        Fingerprint fingerprint,
        int size,
        FetchProgress report,
        CancellationToken cancellationToken
    )
    {
        var order = new Order(key, fingerprint, size, report);
        await using var cancelling = cancellationToken.UnsafeRegister(
            static (order, token) => ((Order)order!).Cancel(token),
            order
        );
        if (Enqueue(order))
        {
            _ = Task.Run(DeliverAsync, CancellationToken.None);
        }

        return await order.Content;
    }

    /// <summary>True when a delivery is to be begun.</summary>
    private bool Enqueue(Order order)
    {
        lock (_gate)
        {
            _waiting.Enqueue(order);
            _waitingShares += order.Share;
            if (_open > 0 && _waitingShares < BatchWeight.All)
            {
                return false;
            }

            _open++;
            return true;
        }
    }

    /// <summary>What goes into the next delivery; nothing when there is none to make.</summary>
    private List<Order> TakeNext()
    {
        var orders = new List<Order>();
        var shares = 0;
        lock (_gate)
        {
            while (_waiting.TryPeek(out var order) && shares + order.Share <= BatchWeight.All)
            {
                _waiting.Dequeue();
                _waitingShares -= order.Share;
                if (order.IsWanted)
                {
                    orders.Add(order);
                    shares += order.Share;
                }
            }

            if (orders.Count == 0)
            {
                _open--;
            }
        }

        return orders;
    }

    private async Task DeliverAsync()
    {
        while (TakeNext() is { Count: > 0 } orders)
        {
            try
            {
                await DeliverAsync(orders);
            }
            catch (Exception fault)
            {
                orders.ForEach(order => order.Fail(fault));
            }
        }
    }

    private async Task DeliverAsync(List<Order> orders)
    {
        using var unwanted = new CancellationTokenSource();
        orders.ForEach(order => order.DeliverIn(orders, unwanted));
        try
        {
            var report = new FetchProgress(() => orders.ForEach(order => order.Answered()), _ => { }, time);
            await using var body = await source.OpenDeliveryAsync(orders.Select(order => order.Key), report, unwanted.Token);
            foreach (var order in orders)
            {
                await ReceiveAsync(order, body, unwanted.Token);
            }
        }
        finally
        {
            orders.ForEach(order => order.DeliverIn(orders, null));
        }
    }

    private async Task ReceiveAsync(Order order, SourceBody body, CancellationToken cancellationToken)
    {
        var header = new byte[ContentBatch.HeaderLength];
        await body.ReadExactlyAsync(header, "a delivery", _ => { }, cancellationToken);
        var size = BinaryPrimitives.ReadInt64LittleEndian(header);
        if (size == ContentBatch.NotDelivered)
        {
            order.Fail(source.Fault(SourceFaultKind.NotFound, "does not have the file"));
            return;
        }

        if (size != order.Size)
        {
            order.Fail(source.NotTheFile($"has {size} bytes of content where the file has {order.Size}"));
            throw source.Fault(SourceFaultKind.EndedEarly, "sent a delivery that cannot be read on");
        }

        var owner = MemoryPool<byte>.Shared.Rent(order.Size);
        var bytes = owner.Memory[..order.Size];
        try
        {
            await body.ReadExactlyAsync(bytes, "a content", order.Brought, cancellationToken);
        }
        catch
        {
            owner.Dispose();
            throw;
        }

        if (ProvenBytes.TryProve(order.Fingerprint, bytes, owner) is { } proven)
        {
            order.Complete(proven);
        }
        else
        {
            owner.Dispose();
            order.Fail(source.WrongWhole());
        }
    }

    /// <summary>One content that somebody waits for.</summary>
    private sealed class Order(FileKey key, Fingerprint fingerprint, int size, FetchProgress report)
    {
        private readonly TaskCompletionSource<ProvenBytes> _content = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _gate = new();
        private List<Order> _beside = [];
        private CancellationTokenSource? _delivery;

        public FileKey Key => key;

        public Fingerprint Fingerprint => fingerprint;

        public int Size => size;

        public int Share { get; } = BatchWeight.Of(size);

        public Task<ProvenBytes> Content => _content.Task;

        public bool IsWanted => !_content.Task.IsCompleted;

        public void Answered()
        {
            if (IsWanted)
            {
                report.Answered();
            }
        }

        public void Brought(int bytes)
        {
            if (IsWanted)
            {
                report.Brought((int)ChunkFrame.ChunkCount(bytes));
            }
        }

        public void Complete(ProvenBytes content)
        {
            if (!_content.TrySetResult(content))
            {
                content.Dispose();
            }
        }

        public void Fail(Exception fault) => _content.TrySetException(fault);

        /// <summary>Nobody waits for it any more; a delivery of which this is true for all ends.</summary>
        public void Cancel(CancellationToken token)
        {
            _content.TrySetCanceled(token);
            EndUnwanted();
        }

        /// <summary>The delivery that brings it now, and what it brings; null after its end.</summary>
        public void DeliverIn(List<Order> beside, CancellationTokenSource? delivery)
        {
            lock (_gate)
            {
                (_beside, _delivery) = (beside, delivery);
            }

            EndUnwanted();
        }

        private void EndUnwanted()
        {
            lock (_gate)
            {
                if (!_beside.Exists(order => order.IsWanted))
                {
                    _ = _delivery?.CancelAsync();
                }
            }
        }
    }
}
