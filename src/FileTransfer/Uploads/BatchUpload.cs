using System.Text.Json.Serialization.Metadata;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Feed;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace FileTransfer.Uploads;

/// <summary>Takes many files in one stream. Small ones are published in groups, a large one by itself, and each is answered once it is durable.</summary>
/// <remarks>
/// A group is published when it is full, and when nothing more of the stream is there: a sender that waits for an answer gets it, and what comes
/// meanwhile is the next group. So nobody's bytes wait in memory for a sender that is slow.
/// </remarks>
public sealed class BatchUpload(
    ChunkStore store,
    UploadPublisher publisher,
    DiskPressure disk,
    QuotaReserves reserves,
    IOptions<JsonOptions> json,
    TimeProvider time
) : IDisposable
{
    /// <summary>Groups in memory at once, of all requests.</summary>
    private const int MostGroups = 4;

    /// <summary>How long the first file of a group waits for others.</summary>
    private static readonly TimeSpan _linger = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim _groups = new(MostGroups);
    private readonly JsonTypeInfo<FileDescription> _type =
        (JsonTypeInfo<FileDescription>)json.Value.SerializerOptions.GetTypeInfo(typeof(FileDescription));

    internal async Task ReceiveAsync(PipeReader body, BatchAnswer answer, CancellationToken cancellationToken)
    {
        using var trace = UploadTraces.ReceiveBatch();
        await using var reader = new BatchReader(body, cancellationToken);
        while (await reader.PeekAsync() is { } next)
        {
            await (
                next.IsLarge
                    ? ReceiveLargeAsync(reader, answer, cancellationToken)
                    : ReceiveSmallAsync(reader, answer, cancellationToken)
            );
        }
    }

    public void Dispose() => _groups.Dispose();

    private async Task ReceiveSmallAsync(BatchReader reader, BatchAnswer answer, CancellationToken cancellationToken)
    {
        using var place = await _groups.EnterAsync(cancellationToken);
        using var group = new UploadGroup();
        var began = time.GetTimestamp();
        do
        {
            group.Add(Prove(reader.Take()));
        } while (
            !group.IsFull
            && await IsSoonAsync(reader.PeekAsync(), began, cancellationToken)
            && reader.PeekAsync() is { IsCompletedSuccessfully: true, Result.IsLarge: false }
        );

        await PublishAsync(group, answer, cancellationToken);
    }

    private async Task ReceiveLargeAsync(BatchReader reader, BatchAnswer answer, CancellationToken cancellationToken)
    {
        var entry = reader.Take();
        var (file, problem) = Describe(entry);
        var (place, full) = file is null
            ? default
            : await reserves.ReserveAsync(file.Metadata, (long)entry.Size, cancellationToken);
        using var reserved = place;
        using var group = new UploadGroup();
        problem ??= full?.Refusal();
        if (file is null || problem is not null)
        {
            await reader.PassAsync();
            group.Add(new BatchedFile(null, null, problem));
            await PublishAsync(group, answer, cancellationToken);
            return;
        }

        using var incoming = store.CreateIncoming();
        group.Add(
            await reader.CopyAsync(incoming)
                ? file.With(incoming.Complete(), null, () => store.MakeDurable(incoming))
                : new BatchedFile(null, null, DescribedFile.Cut())
        );
        await PublishAsync(group, answer, cancellationToken);
    }

    private BatchedFile Prove(BatchEntry entry)
    {
        var (file, problem) = Describe(entry);
        if (file is null)
        {
            entry.Content?.Dispose();
            return new BatchedFile(null, null, problem);
        }

        var bytes = ProvenBytes.Of(entry.Bytes, entry.Content);
        return file.With(bytes.Fingerprint, bytes, null);
    }

    private (DescribedFile? File, ProblemHttpResult? Problem) Describe(BatchEntry entry)
    {
        var (file, problem) = DescribedFile.Read(entry, _type);
        return file is not null && disk.RefusalOf((long)entry.Size) is { } refusal
            ? (null, UploadRoutes.NoRoom(refusal))
            : (file, problem);
    }

    private async Task<bool> IsSoonAsync(Task next, long began, CancellationToken cancellationToken)
    {
        var left = _linger - time.GetElapsedTime(began);
        return next.IsCompleted
            || (left > TimeSpan.Zero && await Task.WhenAny(next, Task.Delay(left, time, cancellationToken)) == next);
    }

    private async Task PublishAsync(UploadGroup group, BatchAnswer answer, CancellationToken cancellationToken)
    {
        var uploads = group.Uploads;
        var published = uploads.Count == 0 ? null : await publisher.PublishAsync(uploads, cancellationToken);
        var isNew = uploads
            .Where(upload => published!.Commits[upload.Key] == UploadCommit.Stored)
            .Select(upload => upload.Key)
            .ToHashSet();
        foreach (var (key, upload, problem) in group.Files)
        {
            if (upload is null)
            {
                answer.Refused(key, problem!.ProblemDetails);
            }
            else if (published!.TooMuch.TryGetValue(upload.Key, out var quota))
            {
                answer.Refused(upload.Key, quota.Refusal().ProblemDetails);
            }
            else
            {
                // What came twice was stored already the second time.
                answer.Stored(upload.Key, isNew.Remove(upload.Key));
            }
        }

        await answer.FlushAsync(cancellationToken);
    }
}
