using Spectre.Console;

namespace FileTransfer.Cli;

/// <summary>The bars on the terminal while bytes move; nothing at all where nobody watches.</summary>
public sealed class TransferProgress(ProgressContext? context)
{
    /// <summary>A content below this is done before anyone has read its bar.</summary>
    private const long WorthABar = 8 * 1024 * 1024;

    public static TransferProgress None { get; } = new(null);

    public bool IsShown => context is not null;

    /// <summary>The bar of one content, or only its share of <paramref name="whole"/> where it is too small for one of its own.</summary>
    public TransferBar Start(string what, long bytes, TransferBar? whole = null) =>
        new(
            whole is null || bytes >= WorthABar ? context?.AddTask(Markup.Escape(what), maxValue: Math.Max(bytes, 1)) : null,
            whole
        );
}

/// <summary>How many bytes of something are done; what it is told may also go back, when they have to be moved again.</summary>
public sealed class TransferBar(ProgressTask? task, TransferBar? whole) : IProgress<long>, IDisposable
{
    private readonly Lock _lock = new();
    private long _done;

    /// <param name="value">All that is done so far.</param>
    public void Report(long value)
    {
        lock (_lock)
        {
            whole?.Advance(value - _done);
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
