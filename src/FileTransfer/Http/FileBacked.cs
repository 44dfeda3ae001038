namespace FileTransfer.Http;

/// <summary>What is read from files, and read again within a second after they change. What cannot be read leaves in use what was read before.</summary>
public sealed class FileBacked<T>(Func<T> read, TimeProvider time, params string[] paths)
    where T : class
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private (string Path, DateTime Written)[] _stamps = [];
    private T? _value;
    private long _lookedAt;

    /// <summary>Why the newest state of the files is not in use; null where it is.</summary>
    public string? Fault { get; private set; }

    /// <exception cref="Exception">It has never been read, and cannot be.</exception>
    public T Value
    {
        get
        {
            lock (_gate)
            {
                if (_value is null || time.GetElapsedTime(_lookedAt) >= _period)
                {
                    _lookedAt = time.GetTimestamp();
                    Look();
                }

                return _value!;
            }
        }
    }

    private void Look()
    {
        try
        {
            (string, DateTime)[] stamps = [.. paths.Select(StampOf)];
            if (!stamps.AsSpan().SequenceEqual(_stamps))
            {
                (_value, _stamps) = (read(), stamps);
            }

            Fault = null;
        }
        catch (Exception fault) when (_value is not null && CertificateFiles.IsUnreadable(fault))
        {
            Fault = fault.Message;
        }
    }

    /// <summary>Of the file that a link leads to: secrets are renewed by leading a link elsewhere.</summary>
    private static (string, DateTime) StampOf(string path)
    {
        var file = File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
        return (file.FullName, file.LastWriteTimeUtc);
    }
}
