namespace FileTransfer.Downloads.Planning;

/// <summary>The strikes against a source: the files of which it sent wrong bytes, how often, and how lately.</summary>
/// <remarks>
/// A strike is for a file and a source. One fades after each <see cref="PlannerLimits.StrikeFade"/>, and all of a file's when the source
/// sends that file right. While they last, the file asks other sources first; a source with strikes about several files is demoted: asked
/// after the others for every file. Neither shuts out the last source that a file has.
/// </remarks>
internal sealed class SourceStrikes
{
    private const int FilesRemembered = 1024;

    private readonly Dictionary<FileKey, FileStrikes> _files = [];

    /// <summary>Since when it is demoted, and until when; means something only while <see cref="IsDemoted"/>.</summary>
    public TimeSpan DemotedSince { get; private set; }

    public TimeSpan DemotedUntil { get; private set; }

    /// <summary>What it last did wrong.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>It is asked only for files that have no other source.</summary>
    public bool IsDemoted(TimeSpan now) => DemotedUntil > now;

    /// <summary>Files that it has strikes about now.</summary>
    public int FilesAt(TimeSpan now, PlannerLimits limits) => _files.Values.Count(strikes => strikes.At(now, limits) > 0);

    /// <summary>How long the file asks others first; nothing when the source has no strikes about it now.</summary>
    public TimeSpan BackoffOf(FileKey file, TimeSpan now) =>
        _files.TryGetValue(file, out var strikes) && strikes.Until > now ? strikes.Until - now : TimeSpan.Zero;

    /// <summary>Notes wrong bytes.</summary>
    /// <param name="jitter">From 0.5 to 1.</param>
    /// <returns>Whether the source is demoted from now on, and was not.</returns>
    public bool Add(FileKey file, string reason, TimeSpan now, PlannerLimits limits, double jitter)
    {
        Fade(now, limits);
        var before = _files.TryGetValue(file, out var known) ? known.At(now, limits) : 0;
        if (_files.Count >= FilesRemembered && !_files.ContainsKey(file))
        {
            _files.Remove(_files.MinBy(entry => entry.Value.Last).Key);
        }

        var backoff = new Backoff(limits.FirstStrikeBackoff, limits.LongestStrikeBackoff).Bound(before) * jitter;
        _files[file] = new FileStrikes(before + 1, now, now + backoff);
        Reason = reason;
        if (_files.Count < limits.FilesThatDemote)
        {
            return false;
        }

        var wasDemoted = IsDemoted(now);
        DemotedSince = wasDemoted ? DemotedSince : now;
        var strikes = _files.Values.Sum(entry => entry.At(now, limits));
        var until =
            now + (new Backoff(limits.FirstDemotion, limits.LongestDemotion).Bound(strikes - limits.FilesThatDemote) * jitter);
        DemotedUntil = until > DemotedUntil ? until : DemotedUntil;
        return !wasDemoted;
    }

    /// <summary>It sent the file, or a window of it, right.</summary>
    public void Clear(FileKey file) => _files.Remove(file);

    /// <summary>Forgets the files whose strikes have faded.</summary>
    public void Fade(TimeSpan now, PlannerLimits limits)
    {
        foreach (var file in _files.Where(entry => entry.Value.At(now, limits) == 0).Select(entry => entry.Key).ToArray())
        {
            _files.Remove(file);
        }
    }

    /// <summary>It counts for nothing any more.</summary>
    public bool IsOver(TimeSpan now) => _files.Count == 0 && !IsDemoted(now);

    /// <param name="Count">How many there were at <paramref name="Last"/>.</param>
    /// <param name="Until">Until when the file asks others first.</param>
    private readonly record struct FileStrikes(int Count, TimeSpan Last, TimeSpan Until)
    {
        public int At(TimeSpan now, PlannerLimits limits) => Math.Max(0, Count - (int)((now - Last) / limits.StrikeFade));
    }
}
