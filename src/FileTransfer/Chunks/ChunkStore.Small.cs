using FileTransfer.Chunks.Small;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <content>Small contents: rows of <see cref="SmallDatabase"/>. Of earlier versions, they may be files as the larger ones are.</content>
public sealed partial class ChunkStore
{
    /// <summary>Contents up to this size are rows of <c>small.db</c>.</summary>
    public const int SmallUpTo = 64 * 1024;

    private readonly SmallDatabase _small;

    internal SmallDatabase Small => _small;

    public static bool IsSmall(long size) => size <= SmallUpTo;

    /// <summary>Those of some small contents that are not here and right. Call under <see cref="LockContentAsync"/> of each.</summary>
    internal List<ProvenBytes> Lacking(IEnumerable<ProvenBytes> contents) =>
        [
            .. contents
                .DistinctBy(content => content.Fingerprint)
                .Where(content => !ConfirmRight(content.Fingerprint, content.Bytes.Length)),
        ];

    /// <summary>Opens visible files whose contents are rows, all at one look; null where one is not, or is damaged: see <see cref="TryOpen(FileKey)"/>.</summary>
    public IEnumerable<OpenContent?> TryOpenSmall(IReadOnlyList<FileKey> keys)
    {
        var visible = _small.Read(engine =>
            engine.AtOneLook(() => keys.Select(key => SmallContents.TryReadOf(engine, key)).ToList())
        );
        return visible.Zip(
            keys,
            (found, key) =>
                found is var (fingerprint, bytes) && !_hidden.ContainsKey(key) && ContentFingerprint.Of(bytes) == fingerprint
                    ? new OpenContent(bytes, fingerprint)
                    : null
        );
    }

    /// <summary>Proven, for it is read in any case. Null when it is no row.</summary>
    private OpenContent? TryOpenSmall(Fingerprint fingerprint)
    {
        var bytes = _small.Read(engine => SmallContents.Read(engine, fingerprint));
        if (bytes is not null && ContentFingerprint.Of(bytes) is var found && found != fingerprint)
        {
            throw new ContentDamagedException(fingerprint, $"what is in small.db has the fingerprint {found}");
        }

        return bytes is null ? null : new OpenContent(bytes, fingerprint);
    }

    private long? SizeOfSmall(Fingerprint fingerprint) => _small.Read(engine => SmallContents.SizeOf(engine, fingerprint));

    private void DeleteSmall(Fingerprint fingerprint)
    {
        if (SizeOfSmall(fingerprint) is not null)
        {
            _small.Write(engine => SmallContents.Delete(engine, fingerprint));
        }
    }

    /// <summary>In the order of their fingerprints. A page at a time is in memory.</summary>
    private IEnumerable<ContentInfo> SmallAfter(Fingerprint? after)
    {
        const int PageSize = 1000;
        while (_small.Read(engine => SmallContents.After(engine, after, PageSize)) is { Count: > 0 } page)
        {
            foreach (var content in page)
            {
                yield return content;
            }

            after = page[^1].Fingerprint;
        }
    }

    /// <summary>The bytes of a damaged content, as far as they can be read, under a name in the quarantine.</summary>
    private byte[] SmallBytes(Fingerprint fingerprint)
    {
        try
        {
            return _small.Read(engine => SmallContents.Read(engine, fingerprint)) ?? [];
        }
        catch (ContentDamagedException)
        {
            return [];
        }
    }
}
