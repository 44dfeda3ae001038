using FileTransfer.Identity;

namespace FileTransfer.Downloads.Planning;

/// <summary>What a source is blamed for: the files of which it sent wrong bytes, how often, and how lately.</summary>
/// <remarks>
/// Blame is for a file and a source. It fades: a strike for each <see cref="PlannerLimits.BlameFade"/>, and all of a file's when the source
/// sends that file right. While it lasts, the file asks other sources first; a source with strikes about several files is asked after the
/// others for every file. Neither shuts out the last source that a file has.
/// </remarks>
internal sealed class SourceBlame
{
    private const int FilesRemembered = 1024;

    private readonly Dictionary<FileKey, Strikes> _files = [];

    /// <summary>Since when it is shunned, and until when; means something only while <see cref="IsShunned"/>.</summary>
    public TimeSpan ShunnedSince { get; private set; }

    public TimeSpan ShunnedUntil { get; private set; }

    /// <summary>What it last did wrong.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>When it did.</summary>
    public TimeSpan At { get; private set; }

    /// <summary>It is asked only for files that have no other source.</summary>
    public bool IsShunned(TimeSpan now) => ShunnedUntil > now;

    /// <summary>Files that it is blamed for now.</summary>
    public int FilesAt(TimeSpan now, PlannerLimits limits) => _files.Values.Count(strikes => strikes.At(now, limits) > 0);

    public bool IsEmpty => _files.Count == 0;

    /// <summary>How long the file asks others first; nothing when the source is not blamed for it now.</summary>
    public TimeSpan RestOf(FileKey file, TimeSpan now) =>
        _files.TryGetValue(file, out var strikes) && strikes.Until > now ? strikes.Until - now : TimeSpan.Zero;

    /// <summary>Notes wrong bytes.</summary>
    /// <param name="jitter">From 0.5 to 1.</param>
    /// <returns>Whether the source is shunned from now on, and was not.</returns>
    public bool Strike(FileKey file, string reason, TimeSpan now, PlannerLimits limits, double jitter)
    {
        Fade(now, limits);
        var count = (_files.TryGetValue(file, out var before) ? before.At(now, limits) : 0) + 1;
        if (_files.Count >= FilesRemembered && !_files.ContainsKey(file))
        {
            _files.Remove(_files.MinBy(entry => entry.Value.Last).Key);
        }

        _files[file] = new Strikes(
            count,
            now,
            now + (Doubled(limits.FirstBlameRest, count - 1, limits.LongestBlameRest) * jitter)
        );
        (Reason, At) = (reason, now);
        if (_files.Count < limits.FilesThatShun)
        {
            return false;
        }

        var wasShunned = IsShunned(now);
        ShunnedSince = wasShunned ? ShunnedSince : now;
        var strikes = _files.Values.Sum(entry => entry.At(now, limits));
        var shunned = Doubled(limits.FirstShun, strikes - limits.FilesThatShun, limits.LongestShun) * jitter;
        ShunnedUntil = now + shunned > ShunnedUntil ? now + shunned : ShunnedUntil;
        return !wasShunned;
    }

    /// <summary>It sent the file, or a window of it, right.</summary>
    public void Absolve(FileKey file) => _files.Remove(file);

    /// <summary>Forgets the files whose blame has faded.</summary>
    public void Fade(TimeSpan now, PlannerLimits limits)
    {
        foreach (var (file, strikes) in _files)
        {
            if (strikes.At(now, limits) == 0)
            {
                _files.Remove(file);
            }
        }
    }

    private static TimeSpan Doubled(TimeSpan first, int times, TimeSpan longest) =>
        TimeSpan.FromSeconds(Math.Min(longest.TotalSeconds, first.TotalSeconds * Math.Pow(2, Math.Clamp(times, 0, 30))));

    /// <param name="Count">How many there were at <paramref name="Last"/>.</param>
    /// <param name="Until">Until when the file asks others first.</param>
    private readonly record struct Strikes(int Count, TimeSpan Last, TimeSpan Until)
    {
        public int At(TimeSpan now, PlannerLimits limits) => Math.Max(0, Count - (int)((now - Last) / limits.BlameFade));
    }
}
