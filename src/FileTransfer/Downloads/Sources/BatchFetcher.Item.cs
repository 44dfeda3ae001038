using System.Diagnostics;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

internal sealed partial class BatchFetcher
{
    /// <summary>One content that somebody waits for.</summary>
    private sealed class Item(FileKey key, Fingerprint fingerprint, int size, FetchProgress progress)
    {
        private readonly TaskCompletionSource<ProvenBytes> _content = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _gate = new();
        private List<Item> _batch = [];
        private CancellationTokenSource? _request;

        public FileKey Key => key;

        public Fingerprint Fingerprint => fingerprint;

        public int Size => size;

        public int Share { get; } = BatchWeight.Of(size);

        public Task<ProvenBytes> Content => _content.Task;

        /// <summary>The part of a download that it is fetched for.</summary>
        public Activity? Trace { get; } = Activity.Current;

        public bool IsWanted => !_content.Task.IsCompleted;

        public void Answered()
        {
            if (IsWanted)
            {
                progress.Answered();
            }
        }

        public void Received(int bytes)
        {
            if (IsWanted)
            {
                progress.Received(bytes);
                progress.ReportChunks((int)ChunkFrame.ChunkCount(bytes));
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

        /// <summary>Nobody waits for it any more; the request of a batch of which this is true for all ends.</summary>
        public void Cancel(CancellationToken token)
        {
            _content.TrySetCanceled(token);
            EndUnwanted();
        }

        /// <summary>The batch it is fetched in now, and what cancels that one's request; null after its end.</summary>
        public void Join(List<Item> batch, CancellationTokenSource? request)
        {
            lock (_gate)
            {
                (_batch, _request) = (batch, request);
            }

            EndUnwanted();
        }

        private void EndUnwanted()
        {
            lock (_gate)
            {
                if (!_batch.Exists(item => item.IsWanted))
                {
                    _ = _request?.CancelAsync();
                }
            }
        }
    }
}
