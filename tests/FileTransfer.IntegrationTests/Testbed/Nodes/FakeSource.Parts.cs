using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Frames;
using FileTransfer.Contracts;
using FileTransfer.Http;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <content>A node that downloads a file itself, by its word.</content>
internal sealed partial class FakeSource
{
    private int _partsAsked;

    /// <summary>How often it was asked what it has of files.</summary>
    public int PartsAsked => Volatile.Read(ref _partsAsked);

    /// <summary>Downloads a file that others have; it says that it has all chunks already.</summary>
    public async Task DownloadsAsync(TestFile file)
    {
        _files[file.Key] = file;
        await new ForgedReplica(Id, ReplicaState.Downloading).AddAsync(_database, file);
    }

    /// <summary>Says what it has, and no more as long as it is listened to.</summary>
    private async Task SendPartsAsync(string key, HttpContext context)
    {
        Interlocked.Increment(ref _partsAsked);
        if (FileOf(key, context) is not { } file)
        {
            return;
        }

        var last = ChunkFrame.ChunkCount(file.Content.Length) - 1;
        var head = new PartsLine(
            1,
            file.Fingerprint.ToString(),
            file.Content.Length,
            Have:
            [
                [0, last],
            ]
        );
        context.Response.ContentType = Ndjson.MediaType;
        Ndjson.WriteLine(context.Response.BodyWriter, head, SparseJson.Default.PartsLine);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
