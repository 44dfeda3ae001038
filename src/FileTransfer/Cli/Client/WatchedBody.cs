namespace FileTransfer.Cli.Client;

/// <summary>A body that is ended when it stands still. Once all of it is sent, the node has a time of its own for its answer.</summary>
public abstract class WatchedBody : HttpContent
{
    /// <summary>Why what is sent could not be read; the node is not to blame then.</summary>
    public Exception? LocalFault { get; protected set; }

    internal IdleTimeout? Watch { get; set; }

    /// <summary>How long the node may take for its answer once it has everything.</summary>
    internal TimeSpan AnswerWithin { get; set; }

    protected abstract Task WriteAsync(Stream stream, CancellationToken cancellationToken);

    protected void Moved() => Watch?.Moved();

    protected sealed override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected sealed override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        await WriteAsync(stream, cancellationToken);
        Watch?.Rearm(AnswerWithin);
    }
}
