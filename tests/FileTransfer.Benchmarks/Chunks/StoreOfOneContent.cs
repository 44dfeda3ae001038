using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Benchmarks.Chunks;

/// <summary>A store in a folder of its own with one content in it, which is in the page cache.</summary>
internal sealed class StoreOfOneContent : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("filetransfer-benchmark-").FullName;
    private readonly ChunkStore _store;

    public StoreOfOneContent(byte[] bytes)
    {
        _store = new ChunkStore(_folder, new FreeSpaceFloor(0), NullLogger<ChunkStore>.Instance);
        var fingerprint = ContentFingerprint.Of(bytes);
        using (var partial = _store.OpenPartial(new FileKey(fingerprint.ToArray()), 1, fingerprint, bytes.Length))
        {
            partial.Put(0, bytes);
            partial.ProveWhole();
            _store.MakeDurable(partial);
        }

        Content = _store.TryOpen(fingerprint)!;
    }

    public OpenContent Content { get; }

    public void Dispose()
    {
        Content.Dispose();
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
