namespace FileTransfer.Uploads.Ingest;

/// <summary>What the system says of a folder as it happens: hints, for what it does not say is found by listing the folder.</summary>
/// <remarks>
/// It asks the kernel itself: <see cref="FileSystemWatcher"/> does not tell a file that is renamed into place, which is complete, from one
/// that somebody begins to write, and is silent for good after an overflow. Where there is no inotify, nothing is said.
/// </remarks>
internal sealed partial class FolderHints : IDisposable
{
    private const uint WrittenAndClosed = 0x8;
    private const uint MovedHere = 0x80;
    private const uint MovedAway = 0x800;
    private const uint Overflowed = 0x4000;
    private const uint Ended = 0x8000;

    /// <summary>So many names are kept; what comes beyond is left to a listing.</summary>
    private const int Most = 16_384;

    public static readonly IReadOnlySet<string> None = new HashSet<string>();

    private readonly Lock _gate = new();
    private readonly HashSet<string> _named = [];
    private readonly HashSet<string> _renamed = [];
    private readonly Action _signal;
    private readonly int _queue;
    private readonly int _watch;
    private bool _isIncomplete;

    private FolderHints(int queue, int watch, Action signal)
    {
        (_queue, _watch, _signal) = (queue, watch, signal);
        new Thread(Read) { IsBackground = true, Name = "watch folder" }.Start();
    }

    /// <summary>False when the folder has gone from its path: it is to be asked for anew.</summary>
    public bool IsAlive { get; private set; } = true;

    /// <param name="signal">Called whenever something has happened.</param>
    /// <returns>Null where the system does not tell.</returns>
    public static FolderHints? TryOpen(string folder, Action signal)
    {
        const int closedOnExec = 0x80000;
        if (!OperatingSystem.IsLinux() || InotifyInit(closedOnExec) is not (>= 0 and var queue))
        {
            return null;
        }

        if (InotifyAddWatch(queue, folder, WrittenAndClosed | MovedHere | MovedAway) is >= 0 and var watch)
        {
            return new FolderHints(queue, watch, signal);
        }

        _ = Close(queue);
        return null;
    }

    /// <summary>The names that something was said of since the last call; null where there were too many. With those that were renamed into place by then.</summary>
    public (IReadOnlyCollection<string>? Named, IReadOnlySet<string> Renamed) Take()
    {
        lock (_gate)
        {
            string[]? names = _isIncomplete ? null : [.. _named];
            _named.Clear();
            _isIncomplete = false;
            return (names, Renamed());
        }
    }

    /// <summary>The files that were renamed into place, so that they are complete, and were not dealt with yet.</summary>
    /// <remarks>The system tells in order: where a name is among them, those that were renamed before it are, too.</remarks>
    public IReadOnlySet<string> Renamed()
    {
        lock (_gate)
        {
            return new HashSet<string>(_renamed, StringComparer.Ordinal);
        }
    }

    /// <summary>The file has been dealt with.</summary>
    public void Forget(string name)
    {
        lock (_gate)
        {
            _renamed.Remove(name);
        }
    }

    /// <summary>The thread ends, and closes what it reads from.</summary>
    public void Dispose() => _ = InotifyRemoveWatch(_queue, _watch);

    private void Read()
    {
        var buffer = new byte[64 * 1024];
        while (IsAlive && ReadQueue(_queue, buffer, (nuint)buffer.Length) is > 0 and var length)
        {
            for (var rest = buffer.AsSpan(0, (int)length); !rest.IsEmpty; )
            {
                // struct inotify_event: int wd; uint mask, cookie, len; char name[len], which zeros fill up.
                var kind = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
                var nameLength = BinaryPrimitives.ReadInt32LittleEndian(rest[12..]);
                Note(kind, Encoding.UTF8.GetString(rest.Slice(16, nameLength).TrimEnd((byte)0)));
                rest = rest[(16 + nameLength)..];
            }

            _signal();
        }

        IsAlive = false;
        _ = Close(_queue);
    }

    private void Note(uint kind, string name)
    {
        lock (_gate)
        {
            IsAlive &= (kind & (Ended | MovedAway)) == 0;
            if ((kind & Overflowed) != 0 || _named.Count == Most)
            {
                _isIncomplete = true;
            }
            else if (name.Length > 0)
            {
                _named.Add(name);
            }

            if ((kind & MovedHere) != 0 && _renamed.Count < Most)
            {
                _renamed.Add(name);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1")]
    private static partial int InotifyInit(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int InotifyAddWatch(int queue, string path, uint events);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch")]
    private static partial int InotifyRemoveWatch(int queue, int watch);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadQueue(int queue, Span<byte> buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int queue);
}
