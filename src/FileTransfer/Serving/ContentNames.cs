using FileTransfer.Catalog;

namespace FileTransfer.Serving;

/// <summary>Under which names contents are saved: the newest answers are remembered, for a key's location never changes.</summary>
/// <remarks>The catalog knows the names. While it is away contents are served without: no reader waits for it.</remarks>
public sealed class ContentNames(FileCatalog catalog, Database database, TimeProvider time)
{
    private const int Remembered = 10_000;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<FileKey, ContentName> _known = new();
    private long _awayAt = -1;

    /// <summary>The name, or null where nobody asked for one, or nobody knows it now.</summary>
    public ValueTask<ContentName?> ForAsync(HttpContext context, FileKey key)
    {
        // A node knows the location, and saves nothing under it.
        if (NodeHeader.Of(context) is not null)
        {
            return default;
        }

        return _known.TryGetValue(key, out var known) ? new(known) : AskAsync(key, context.RequestAborted);
    }

    private async ValueTask<ContentName?> AskAsync(FileKey key, CancellationToken cancellationToken)
    {
        var awayAt = Interlocked.Read(ref _awayAt);
        if (!database.IsReady || (awayAt >= 0 && time.GetElapsedTime(awayAt) < _pause))
        {
            return null;
        }

        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(_patience);
            // Not by the token alone: a command on a dead network takes seconds to be cancelled.
            if (await catalog.FindAsync(key, limit.Token).WaitAsync(limit.Token) is not { } file)
            {
                return null;
            }

            if (_known.Count >= Remembered)
            {
                _known.Clear();
            }

            // A date that is still to come is none (RFC 9110, section 8.8.2.1).
            var (now, registered) = (time.GetUtcNow(), file.RegisteredAt);
            return _known[key] = ContentName.Of(file.Metadata.Location.Span, registered < now ? registered : now);
        }
        catch (Exception e)
            when (!cancellationToken.IsCancellationRequested && (e is OperationCanceledException || DatabaseReach.IsFailure(e)))
        {
            // Whatever ails the catalog, the content is here.
            Interlocked.Exchange(ref _awayAt, time.GetTimestamp());
            return null;
        }
    }
}
