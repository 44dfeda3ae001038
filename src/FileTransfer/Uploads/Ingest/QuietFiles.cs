namespace FileTransfer.Uploads.Ingest;

/// <summary>Which files have not changed for a time, by a clock that does not jump; whatever the times of the files say.</summary>
/// <param name="quietFor">How long a file must not change.</param>
/// <param name="most">So many files are watched at once; others are when one of them is done with.</param>
/// <param name="time">Measures.</param>
internal sealed class QuietFiles(TimeSpan quietFor, int most, TimeProvider time)
{
    /// <summary>How each file was when it was seen to have changed last, and when that was.</summary>
    private readonly Dictionary<string, (string Stamp, long Since)> _files = new(StringComparer.Ordinal);

    private bool _hasLeftOut;

    public bool IsEmpty => _files.Count == 0;

    /// <summary>Some were not watched, for there were too many at once, and there is room for them now.</summary>
    public bool HasRoomForOthers => _hasLeftOut && _files.Count <= most / 2;

    /// <summary>How long it takes until one of them may be quiet.</summary>
    public TimeSpan Next => _files.Count == 0 ? TimeSpan.MaxValue : _files.Values.Min(file => Left(file.Since));

    /// <summary>Those that are to be looked at: quiet, unless they have changed.</summary>
    public IEnumerable<string> Due() => _files.Where(file => Left(file.Value.Since) == TimeSpan.Zero).Select(file => file.Key);

    /// <summary>Whether the file has not changed for the time; if it has, it is watched from now on.</summary>
    public bool IsQuiet(FolderEntry entry)
    {
        if (_files.TryGetValue(entry.Name, out var known) && known.Stamp == entry.Stamp)
        {
            return Left(known.Since) == TimeSpan.Zero;
        }

        if (_files.ContainsKey(entry.Name) || _files.Count < most)
        {
            _files[entry.Name] = (entry.Stamp, time.GetTimestamp());
        }
        else
        {
            _hasLeftOut = true;
        }

        return false;
    }

    /// <summary>All files are about to be looked at.</summary>
    public void Begin() => _hasLeftOut = false;

    public void Forget(string name) => _files.Remove(name);

    private TimeSpan Left(long since)
    {
        var left = quietFor - time.GetElapsedTime(since);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
