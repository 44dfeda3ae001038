using System.Net.Sockets;

namespace FileTransfer.Downloads.Sources;

/// <content>What the network throws, told as a fault of the source.</content>
public abstract partial class Source
{
    /// <summary>Only network calls belong inside.</summary>
    internal async Task<T> GuardAsync<T>(
        Func<CancellationToken, Task<T>> call,
        StallWatch watch,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await call(watch.Token);
        }
        catch (OperationCanceledException) when (watch.HasStalled && !cancellationToken.IsCancellationRequested)
        {
            throw Fault(
                SourceFaultKind.Stalled,
                $"sent less than {terms.Options.StallFloorBytesPerSecond} bytes per second for {terms.Options.StallPeriod.TotalSeconds:0.#} s"
            );
        }
        catch (OperationCanceledException e) when (!watch.Token.IsCancellationRequested)
        {
            // The client's own limit for the connecting.
            throw Fault(
                SourceFaultKind.Unreachable,
                $"did not accept a connection within {SourceHttp.ConnectTimeout.TotalSeconds:0} s",
                e
            );
        }
        catch (Exception e) when (IsEndOfConnection(e))
        {
            throw Fault(SourceFaultKind.EndedEarly, "closed the connection in the middle", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException && !cancellationToken.IsCancellationRequested)
        {
            throw Fault(SourceFaultKind.Unreachable, $"cannot be read from: {e.GetBaseException().Message}", e);
        }
    }

    private static bool IsEndOfConnection(Exception e) =>
        e
            is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }
                or HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }
        || (
            e is HttpRequestException or IOException
            && e.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionReset }
        );
}
