namespace FileTransfer.Chunks;

/// <content>Contents under way that can be read as far as they are here.</content>
public sealed partial class ChunkStore
{
    private readonly ConcurrentDictionary<FileKey, ArrivingContent> _arriving = new();

    /// <summary>Set for a file that became visible, or of whose content under way a first part can be read.</summary>
    public KeyedSignal<FileKey> Readable { get; } = new();

    public ArrivingContent? FindArriving(FileKey key) => _arriving.GetValueOrDefault(key);

    /// <summary>Opens a content under way, with its proof where it is to prove itself; null where nothing of it can be read yet, or any more.</summary>
    public OpenContent? TryOpen(ArrivingContent arriving, bool proven)
    {
        var content = arriving.TryOpen();
        if (content is not null && proven)
        {
            content.Proof = new ContentProof(
                content,
                arriving.Hashes,
                ownsHashes: false,
                content.Identity(),
                isProvenLately: false,
                _proofs
            );
        }

        return content;
    }

    internal void Share(ArrivingContent arriving) => _arriving[arriving.Key] = arriving;

    internal void Forget(ArrivingContent arriving) => _arriving.TryRemove(KeyValuePair.Create(arriving.Key, arriving));
}
