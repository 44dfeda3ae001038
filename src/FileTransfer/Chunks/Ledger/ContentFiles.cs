using FileTransfer.Chunks.Durability;

namespace FileTransfer.Chunks.Ledger;

/// <summary>The files of one larger content, beside it: <c>&lt;fingerprint&gt;.files</c>, a line of JSON each. They outlive the ledger's engine.</summary>
/// <remarks>Call under the lock of the content. The name becomes durable with the content's own, so write it before that is published.</remarks>
internal sealed class ContentFiles(StorePaths paths)
{
    /// <summary>The files of a content; empty where it has no such file. A line that cannot be read is left out.</summary>
    public IReadOnlyList<LedgerFile> Read(Fingerprint fingerprint)
    {
        try
        {
            return [.. File.ReadLines(paths.FilesOf(fingerprint)).Select(TryParse).OfType<LedgerFile>()];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public void Put(LedgerFile file)
    {
        var known = Read(file.Fingerprint);
        if (!known.Contains(file))
        {
            Write(file.Fingerprint, [.. known.Where(other => other.Key != file.Key), file]);
        }
    }

    /// <summary>Forgets a file. What is left without a content goes with it.</summary>
    public void Remove(FileKey key, Fingerprint fingerprint)
    {
        var path = paths.FilesOf(fingerprint);
        if (!File.Exists(path))
        {
            return;
        }

        var known = Read(fingerprint);
        var left = known.Where(other => other.Key != key).ToList();
        if (left.Count == 0)
        {
            File.Delete(path);
        }
        else if (left.Count < known.Count)
        {
            Write(fingerprint, left);
        }
    }

    public IEnumerable<Fingerprint> Contents()
    {
        if (!Directory.Exists(paths.Contents))
        {
            yield break;
        }

        foreach (var file in Directory.EnumerateFiles(paths.Contents, "*" + StorePaths.FilesSuffix, SearchOption.AllDirectories))
        {
            if (Fingerprint.TryParse(Path.GetFileNameWithoutExtension(file), out var fingerprint))
            {
                yield return fingerprint;
            }
        }
    }

    private void Write(Fingerprint fingerprint, IEnumerable<LedgerFile> files)
    {
        var path = paths.FilesOf(fingerprint);
        var beside = paths.Incoming(Guid.NewGuid());
        try
        {
            DiskFullException.Guard(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
            DurableFile.Create(
                beside,
                [
                    .. files.SelectMany(file =>
                        JsonSerializer.SerializeToUtf8Bytes(Line.Of(file), LedgerJson.Default.Line).Append((byte)'\n')
                    ),
                ]
            );
            DurableFile.Rename(beside, path);
        }
        catch (IOException)
        {
            File.Delete(beside);
            throw;
        }
    }

    private static LedgerFile? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, LedgerJson.Default.Line)?.ToFile();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal sealed record Line(
        string Key,
        string Owner,
        string Bucket,
        string Location,
        long Size,
        string Fingerprint,
        int Generation,
        bool Pinned,
        Guid? Epoch,
        long? Sequence,
        DateTimeOffset StoredAt
    )
    {
        public static Line Of(LedgerFile file) =>
            new(
                file.Key.ToString(),
                file.Metadata.Owner.ToString(),
                file.Metadata.Bucket.ToString(),
                file.Metadata.Location.ToString(),
                file.Size,
                file.Fingerprint.ToString(),
                file.Generation,
                file.IsPinned,
                file.Added?.Epoch,
                file.Added?.Sequence,
                file.StoredAt
            );

        /// <summary>Null where the line contradicts itself: a key is the hash of what it names.</summary>
        public LedgerFile? ToFile()
        {
            if (
                !FileKey.TryParse(Key, out var key)
                || !ByteString.TryParseHex(Owner, out var owner)
                || !ByteString.TryParseHex(Bucket, out var bucket)
                || !ByteString.TryParseHex(Location, out var location)
                || !Identity.Fingerprint.TryParse(Fingerprint, out var fingerprint)
                || Size < 1
            )
            {
                return null;
            }

            var metadata = new FileMetadata(owner, bucket, location, (ulong)Size, fingerprint);
            FeedPosition? added = Epoch is { } epoch && Sequence is { } sequence ? new FeedPosition(epoch, sequence) : null;
            return metadata.ComputeKey() == key ? new LedgerFile(key, metadata, Generation, Pinned, added, StoredAt) : null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ContentFiles.Line))]
internal sealed partial class LedgerJson : JsonSerializerContext;
