using FileTransfer.Exports;
using Spectre.Console;

namespace FileTransfer.Cli.Output;

/// <summary>The bars on the terminal while bytes move; nothing at all where nobody watches.</summary>
public sealed class TransferProgress(ProgressContext? context)
{
    /// <summary>A content below this is done before anyone has read its bar.</summary>
    private const long WorthABar = 8 * 1024 * 1024;

    private const int LongestName = 24;

    public static TransferProgress None { get; } = new(null);

    public bool IsShown => context is not null;

    /// <summary>The bar of one content, or only its share of <paramref name="whole"/> where it is too small for one of its own.</summary>
    /// <param name="what">Beside the bar.</param>
    /// <param name="bytes">What it goes up to.</param>
    /// <param name="whole">The bar of all contents, which takes part in what this one counts.</param>
    /// <param name="counts">Whether it does so from the start, or only from <see cref="TransferBar.Begin"/> on.</param>
    public TransferBar Start(string what, long bytes, TransferBar? whole = null, bool counts = true) =>
        new(
            whole is null || bytes >= WorthABar ? context?.AddTask(Describe(what), maxValue: Math.Max(bytes, 1)) : null,
            whole,
            counts
        );

    /// <summary>A name that leaves room for the bar, and that no markup is read from.</summary>
    internal static string Describe(string what)
    {
        var name = PrintedText.Line(what);
        return Markup.Escape(name.Length <= LongestName ? name : $"{name[..(LongestName / 2)]}…{name[^(LongestName / 2)..]}");
    }
}

/// <summary>How many bytes of something are done; what it is told may also go back, when they have to be moved again.</summary>
public sealed class TransferBar(ProgressTask? task, TransferBar? whole, bool counts = true) : IExportProgress
{
    private readonly Lock _lock = new();
    private bool _counts = counts;
    private long _done;

    /// <summary>The same bar begins again, for the next step of the same content.</summary>
    public void Begin(string what)
    {
        lock (_lock)
        {
            (_counts, _done) = (true, 0);
            if (task is not null)
            {
                task.Description = TransferProgress.Describe(what);
                task.Value = 0;
            }
        }
    }

    /// <param name="value">All that is done so far.</param>
    public void Report(long value)
    {
        lock (_lock)
        {
            if (_counts)
            {
                whole?.Advance(value - _done);
            }

            _done = value;
            if (task is not null)
            {
                task.Value = value;
            }
        }
    }

    public void Dispose() => task?.StopTask();

    private void Advance(long bytes)
    {
        lock (_lock)
        {
            Report(_done + bytes);
        }
    }
}
