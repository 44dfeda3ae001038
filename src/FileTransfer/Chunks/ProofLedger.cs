using FileTransfer.Chunks.Durability;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>What this process has proven, of which file, and when. Forgotten with the process: after a crash or a restore nothing is believed.</summary>
/// <remarks>Bounded: when it is full it is emptied, which costs a proof each.</remarks>
internal sealed class ProofLedger(TimeProvider time)
{
    private const int MostContents = 16 * 1024;
    private const long MostHashes = 16L * 1024 * 1024;

    private readonly ConcurrentDictionary<Fingerprint, Entry> _contents = new();
    private readonly ConcurrentDictionary<Fingerprint, FileIdentity> _hashFiles = new();
    private readonly ConcurrentDictionary<Fingerprint, ChunkHashes> _hashes = new();
    private long _hashBytes;

    /// <summary>For how long a proven content whose file does not change is believed.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromHours(1);

    /// <summary>All of the content was found right in this file, from which nothing has changed since before it was read.</summary>
    public void Proven(Fingerprint content, FileIdentity file)
    {
        if (!file.IsSettledAt(time.GetUtcNow()))
        {
            return;
        }

        if (_contents.Count >= MostContents)
        {
            _contents.Clear();
        }

        _contents[content] = new Entry(file, time.GetTimestamp());
    }

    /// <summary>Whether all of the content was proven within <see cref="Period"/>, in this very file.</summary>
    public bool IsProven(Fingerprint content, FileIdentity file) => IsProven(content, file, Period);

    /// <summary>Whether all of the content was proven lately, in this very file.</summary>
    public bool IsProven(Fingerprint content, FileIdentity file, TimeSpan lately) =>
        _contents.TryGetValue(content, out var entry)
        && entry.File == file
        && time.GetElapsedTime(entry.At) is var ago
        && ago >= TimeSpan.Zero
        && ago < lately;

    /// <summary>Nothing that was proven of the content counts any more.</summary>
    public void Forget(Fingerprint content)
    {
        _contents.TryRemove(content, out _);
        _hashFiles.TryRemove(content, out _);
        if (_hashes.TryRemove(content, out var hashes))
        {
            Interlocked.Add(ref _hashBytes, -hashes.EncodedLength);
        }
    }

    /// <summary>The checked hashes of a small content. They are shared: nobody disposes of them.</summary>
    public ChunkHashes? HashesOf(Fingerprint content) => _hashes.GetValueOrDefault(content);

    /// <summary>Keeps the hashes of a small content, whose root was found to be its fingerprint.</summary>
    public void Keep(Fingerprint content, ChunkHashes hashes)
    {
        if (Interlocked.Read(ref _hashBytes) + hashes.EncodedLength > MostHashes || _hashes.Count >= MostContents)
        {
            // Who still uses them goes on; their memory goes with the last reference.
            _hashes.Clear();
            Interlocked.Exchange(ref _hashBytes, 0);
        }

        if (_hashes.TryAdd(content, hashes))
        {
            Interlocked.Add(ref _hashBytes, hashes.EncodedLength);
        }
    }

    /// <summary>Whether the root of the hashes in this file was found to be the content's fingerprint.</summary>
    public bool IsChecked(Fingerprint content, FileIdentity hashFile) =>
        _hashFiles.TryGetValue(content, out var known) && known == hashFile;

    public void Checked(Fingerprint content, FileIdentity hashFile)
    {
        if (_hashFiles.Count >= MostContents)
        {
            _hashFiles.Clear();
        }

        // One that changes unnoticed makes nothing wrong pass: right chunks would not have its hashes, and all is looked into again.
        _hashFiles[content] = hashFile;
    }

    private readonly record struct Entry(FileIdentity File, long At);
}
