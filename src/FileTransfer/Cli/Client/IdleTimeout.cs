namespace FileTransfer.Cli.Client;

/// <summary>A token that ends when nothing has moved for a while; every step forward gives it the full time again.</summary>
public sealed class IdleTimeout(TimeProvider time, TimeSpan period, CancellationToken cancellationToken) : IDisposable
{
    private readonly CancellationTokenSource _standstill = new(period, time);
    private CancellationTokenSource? _linked;

    public CancellationToken Token =>
        (_linked ??= CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _standstill.Token)).Token;

    public void Moved() => _standstill.CancelAfter(period);

    public void Rearm(TimeSpan within) => _standstill.CancelAfter(within);

    public void Dispose()
    {
        _linked?.Dispose();
        _standstill.Dispose();
    }
}

public static class NodeUnreachableReason
{
    /// <summary>Why the network is to blame for this failure, to follow the node's URL in a sentence; null where it is not.</summary>
    public static string? Of(Exception fault, CancellationToken cancellationToken) =>
        fault switch
        {
            OperationCanceledException when !cancellationToken.IsCancellationRequested =>
                "went silent; the connection counts as lost.",
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } =>
                "has a host name that cannot be resolved.",
            HttpRequestException { InnerException: SocketException socket } when socket.SocketErrorCode != SocketError.Success =>
                $"cannot be reached: {socket.Message}.",
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } tls =>
                $"cannot be reached over TLS: {tls.InnerException?.Message ?? tls.Message}",
            HttpRequestException or IOException => $"lost the connection: {fault.Message}",
            _ => null,
        };
}
