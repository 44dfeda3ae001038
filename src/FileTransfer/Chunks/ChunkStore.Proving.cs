using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    /// <summary>How long a proof is believed while the file does not change: many keys of one content in a row cost one proof.</summary>
    public static readonly TimeSpan BelievedFor = TimeSpan.FromMinutes(1);

    private readonly ProofLedger _proofs = new(TimeProvider.System);

    /// <summary>How long a content that was proven whole, and whose file has not changed since, is served without being hashed again.</summary>
    /// <remarks>Zero: it is hashed for each reader.</remarks>
    public TimeSpan ProofPeriod
    {
        get => _proofs.Period;
        init => _proofs.Period = value;
    }

    /// <summary>Attaches the chunk hashes that prove an open content as it is read: kept and checked ones, else computed.</summary>
    public void Prove(OpenContent content)
    {
        var identity = content.Identity();
        var isSmall = content.Size <= HashesKeptAbove;
        var hashes = isSmall ? SmallHashes(content) : LargeHashes(content);
        content.Proof = new ContentProof(
            content,
            hashes,
            ownsHashes: !isSmall,
            identity,
            _proofs.IsProven(content.Fingerprint, identity),
            _proofs
        );
        RequireSize(content, hashes);
    }

    /// <summary>Proves a content, at the speed of hashing. A proof within <see cref="BelievedFor"/> is enough, unless <paramref name="always"/>.</summary>
    /// <param name="size">What its file says, for the words of a finding; null where nobody knows.</param>
    /// <param name="always">Whether it is read in any case, from the disk as far as the system lets it.</param>
    /// <param name="proven">Told how many bytes are proven, as they grow.</param>
    /// <param name="pace">Waited for before each so many bytes are read.</param>
    public async Task<ContentFinding> ProveAsync(
        Fingerprint fingerprint,
        long? size,
        bool always,
        Action<long>? proven,
        Func<int, CancellationToken, ValueTask>? pace,
        CancellationToken cancellationToken
    )
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return await ExamineAsync(fingerprint, size, always, proven, pace, cancellationToken);
    }

    /// <summary>Without a pace it has ended when it returns.</summary>
    private async Task<ContentFinding> ExamineAsync(
        Fingerprint fingerprint,
        long? size,
        bool always,
        Action<long>? proven,
        Func<int, CancellationToken, ValueTask>? pace,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var content = TryOpen(fingerprint);
            if (content is null)
            {
                return new ContentFinding.Absent();
            }

            var identity = content.Identity();
            if (!always && _proofs.IsProven(fingerprint, identity, BelievedFor))
            {
                proven?.Invoke(content.Size);
                return new ContentFinding.Intact(content.Size, HashesMended: false);
            }

            if (always)
            {
                _proofs.Forget(fingerprint);
                if (content.File is { } file)
                {
                    DurableFile.ForgetCached(file);
                }
            }

            var finding = await ReadThroughAsync(content, identity, proven, pace, cancellationToken);

            // A wrong length says more than what it leads to. Alone it says nothing: it is the caller who may be wrong.
            return finding is ContentFinding.Damaged && size is { } expected && expected != content.Size
                ? new ContentFinding.Damaged($"it has {content.Size} bytes instead of {expected}")
                : finding;
        }
        catch (ContentDamagedException damage)
        {
            return new ContentFinding.Damaged(damage.Reason);
        }
    }

    private async Task<ContentFinding> ReadThroughAsync(
        OpenContent content,
        FileIdentity identity,
        Action<long>? proven,
        Func<int, CancellationToken, ValueTask>? pace,
        CancellationToken cancellationToken
    )
    {
        // With checked hashes at hand the chunk that is wrong has a name; without, the whole is.
        using var known = content.Size > HashesKeptAbove ? TryOpenHashes(content) : null;
        using var computed = known is null ? ChunkHashes.Create(content.Size) : null;
        var buffer = PieceBufferPool.Rent(Math.Max(content.Size, ChunkFrame.ChunkLength));
        try
        {
            var length = buffer.Length / ChunkFrame.ChunkLength * ChunkFrame.ChunkLength;
            for (var at = 0L; at < content.Size; at += length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = (int)Math.Min(length, content.Size - at);
                if (pace is not null)
                {
                    await pace(count, cancellationToken);
                }

                content.ReadExactly(at, buffer.AsSpan(0, count));
                if (known is null)
                {
                    computed!.Set(at / ChunkFrame.ChunkLength, buffer.AsSpan(0, count));
                }
                else if (known.FirstMismatch(at / ChunkFrame.ChunkLength, buffer.AsSpan(0, count)) is >= 0 and var wrong)
                {
                    return new ContentFinding.Damaged($"chunk {wrong} has other bytes than its hash says");
                }

                proven?.Invoke(at + count);
            }
        }
        finally
        {
            PieceBufferPool.Return(buffer);
        }

        if (computed is not null && computed.ComputeFingerprint() is var found && found != content.Fingerprint)
        {
            return new ContentFinding.Damaged($"what is on disk has the fingerprint {found}");
        }

        var isMended = known is null && content.Size > HashesKeptAbove;
        if (isMended)
        {
            KeepHashes(content);
        }

        _proofs.Proven(content.Fingerprint, identity);
        return new ContentFinding.Intact(content.Size, isMended);
    }

    /// <summary>Under the content's lock: whether what is here is right. What is not is set aside.</summary>
    private bool ConfirmRight(Fingerprint fingerprint, long size)
    {
        if (!Holds(fingerprint))
        {
            return false;
        }

        var finding = ExamineAsync(fingerprint, size, always: false, proven: null, pace: null, CancellationToken.None)
            .GetAwaiter()
            .GetResult();
        switch (finding)
        {
            case ContentFinding.Damaged { Reason: var reason }:
                Quarantine(fingerprint, reason);
                return false;
            case ContentFinding.Intact { Size: var found }:
                return found == size;
            default:
                return false;
        }
    }

    /// <summary>The hashes are as many as the chunks, and the last one is of a chunk of this very length: so the size is proven, too.</summary>
    private static void RequireSize(OpenContent content, ChunkHashes hashes)
    {
        if (hashes.Size != content.Size)
        {
            throw new ContentDamagedException(content.Fingerprint, $"it has {content.Size} bytes instead of {hashes.Size}");
        }

        Span<byte> last = stackalloc byte[ChunkFrame.ChunkLength];
        var chunk = hashes.ChunkCount - 1;
        last = last[..hashes.LengthOf(chunk)];
        content.ReadExactly(chunk * ChunkFrame.ChunkLength, last);
        if (hashes.FirstMismatch(chunk, last) >= 0)
        {
            throw new ContentDamagedException(
                content.Fingerprint,
                $"its last chunk, which ends at {content.Size} bytes, is not what its hash says"
            );
        }
    }
}
