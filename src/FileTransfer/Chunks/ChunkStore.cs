using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Small;

namespace FileTransfer.Chunks;

/// <summary>The contents of one node on disk: proven, durable, shared by fingerprint; and the partials on their way there.</summary>
/// <remarks>
/// <code>
/// small.db                             contents of up to 64 KiB, and what the folder remembers of all files, by key
/// content/ab/cd/&lt;fingerprint&gt;          a larger content, proven, read-only
/// content/ab/cd/&lt;fingerprint&gt;.hashes   its chunk hashes, for contents above 4 MiB
/// content/ab/cd/&lt;fingerprint&gt;.files    which files are of it; written before the content
/// partial/&lt;file key&gt;.&lt;epoch&gt;/          data (sparse) and hashes of a content under way
/// partial/incoming.&lt;id&gt;/              the same for a content whose name its end decides
/// quarantine/                          contents set aside, each with a reason file
/// node.json                            whose folder this is
/// node.key                             what the node signs with
/// scrub.json                           how far the proving of all contents is
/// export.json                          the export under way
/// .lock                                held by the process that uses the directory
/// </code>
/// <para>What a kill or a power failure leaves, by the step of publishing after which it comes, and who repairs it:</para>
/// <list type="number">
/// <item>Chunks written: a partial. The next <see cref="OpenPartial"/> of its file adopts it and <see cref="PartialFile.RevalidateFromDiskAsync"/>
/// finds out what it holds; after a power failure that may be less than was written. An incoming one is removed at start.</item>
/// <item>Data made read-only, data fsynced, hashes fsynced: as before; adopting makes the data writable again.</item>
/// <item>Data renamed into <c>content/</c>: a whole proven content, without <c>.hashes</c> (computed again when asked for) and perhaps
/// with a name that a power failure takes back, together with a partial without data. The partial is removed at start. The content is
/// an orphan until its file is stored: whoever gets the file next finds it by <see cref="ConfirmDurable"/> or <see cref="MakeDurable(PartialFile)"/>,
/// which fsync its folder before anybody relies on it; otherwise the catalog's collection of orphans removes it, from <see cref="Contents"/>.</item>
/// <item>Hashes renamed, folder fsynced, <c>stored</c> not committed: the same orphan, durable.</item>
/// <item>A small content is a row, and comes with what the folder remembers of its file: all of a group is there, or nothing.</item>
/// <item>Deleting: the hashes go first, then the content; either half done is a whole content or none. A power failure may bring a
/// deleted content back: an orphan.</item>
/// <item>A small content of an earlier version moves into the database: it is in both places until its file is deleted.</item>
/// <item>Quarantine: the reason is written first; a reason without content is removed at start.</item>
/// </list>
/// <para>After a failed fsync of data or folder nothing that was written is trusted: partial and content are removed.</para>
/// </remarks>
public sealed partial class ChunkStore : IDisposable
{
    /// <summary>Contents up to this size have no <c>.hashes</c>: to compute them again is cheaper than a second fsync.</summary>
    public const long HashesKeptAbove = 4L * 1024 * 1024;

    private readonly StorePaths _paths;
    private readonly FreeSpaceFloor _floor;
    private readonly ILogger<ChunkStore> _logger;
    private readonly FileLock _lock;
    private readonly KeyedLock<Fingerprint> _contentLocks = new();
    private readonly VisibleLinks _links;

    public ChunkStore(string dataDirectory, FreeSpaceFloor floor, ILogger<ChunkStore> logger)
    {
        _paths = new StorePaths(dataDirectory);
        _floor = floor;
        _logger = logger;
        _links = new VisibleLinks(_paths.Files);
        DurableFile.CreateFolder(_paths.Root);
        _lock = DataDirectoryLock.Take(_paths);
        try
        {
            foreach (var folder in (ReadOnlySpan<string>)[_paths.Contents, _paths.Partials, _paths.Quarantine])
            {
                Directory.CreateDirectory(folder);
            }

            DurableFile.FsyncFolder(_paths.Root);
            RemoveLeftoverPartials();
            RemoveLeftoverReasons();
            _small = new SmallDatabase(_paths, logger);
            RemoveFoldersOfMoved();
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    public string DataDirectory => _paths.Root;

    internal StorePaths Paths => _paths;

    /// <summary>Decisions to publish and to delete one content are made under its lock, within this process.</summary>
    public ValueTask<IDisposable> LockContentAsync(Fingerprint fingerprint, CancellationToken cancellationToken) =>
        _contentLocks.LockAsync(fingerprint, cancellationToken);

    /// <summary>The locks of several contents, in one order everywhere, so that no two who take them wait for each other.</summary>
    public ValueTask<IDisposable> LockContentsAsync(IEnumerable<Fingerprint> fingerprints, CancellationToken cancellationToken) =>
        _contentLocks.LockAsync(fingerprints.Distinct().Order(), cancellationToken);

    /// <summary>Whether the folder of contents is there. One look; throws what the file system says where it cannot be listed.</summary>
    public bool CanBeRead()
    {
        using var entries = Directory.Exists(_paths.Contents)
            ? Directory.EnumerateFileSystemEntries(_paths.Contents).GetEnumerator()
            : null;
        _ = entries?.MoveNext();
        return entries is not null;
    }

    public FreeSpaceReport FreeSpace() => FreeSpaceReport.Of(_paths.Root, _floor);

    /// <exception cref="DiskFullException">Less is free than is to stay free.</exception>
    public void RequireFloor() => RequireRoomFor(0);

    /// <exception cref="DiskFullException">With so many bytes more, less is free than is to stay free.</exception>
    public void RequireRoomFor(long bytes)
    {
        if (FreeSpace() is var space && !space.HasRoomFor(bytes))
        {
            throw new DiskFullException(_paths.Root, space);
        }
    }

    /// <summary>Lets another process have the directory. Everything opened here must have been closed.</summary>
    public void Dispose()
    {
        _small.Dispose();
        _lock.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(1100, LogLevel.Information, "Removed {Count} leftover partials that cannot be resumed")]
        public static partial void LeftoversRemoved(ILogger logger, int count);

        [LoggerMessage(1101, LogLevel.Warning, "Could not keep the chunk hashes of {Folder}; they will be fetched again")]
        public static partial void HashesNotKept(ILogger logger, Exception exception, string folder);

        [LoggerMessage(1102, LogLevel.Warning, "Could not remove the partial {Folder}")]
        public static partial void PartialNotRemoved(ILogger logger, Exception exception, string folder);

        [LoggerMessage(1103, LogLevel.Error, "Could not make {Content} durable; it is discarded")]
        public static partial void NotDurable(ILogger logger, Exception exception, Fingerprint content);

        [LoggerMessage(1104, LogLevel.Warning, "The chunk hashes on disk for {Content} are wrong; computing them again")]
        public static partial void HashesWrong(ILogger logger, Fingerprint content);

        [LoggerMessage(1106, LogLevel.Warning, "Moved the damaged content {Content} to {Path}: {Reason}")]
        public static partial void Quarantined(ILogger logger, Fingerprint content, string path, string reason);
    }
}
