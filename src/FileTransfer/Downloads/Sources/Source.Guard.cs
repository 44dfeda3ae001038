using System.Net.Sockets;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <content>What the network throws, told as a fault of the source.</content>
public abstract partial class Source
{
    /// <summary>Only network calls belong inside.</summary>
    internal async Task<T> TranslateNetworkErrorsAsync<T>(
        Func<CancellationToken, Task<T>> call,
        MinimumRateMonitor watch,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await call(watch.Token);
        }
        catch (Exception e) when (FaultOf(e, watch, cancellationToken) is not null)
        {
            throw FaultOf(e, watch, cancellationToken)!;
        }
    }

    /// <summary>What a network call under the watch threw, as a fault of the source; null where the source is not to blame.</summary>
    internal SourceException? FaultOf(Exception thrown, MinimumRateMonitor watch, CancellationToken cancellationToken) =>
        thrown switch
        {
            OperationCanceledException when watch.HasStalled && !cancellationToken.IsCancellationRequested => Fault(
                SourceFaultKind.Stalled,
                $"sent less than {terms.Options.StallFloorBytesPerSecond} bytes per second for {terms.Options.StallPeriod.TotalSeconds:0.#} s"
            ),
            // The client's own limit for the connecting.
            OperationCanceledException when !watch.Token.IsCancellationRequested => Fault(
                SourceFaultKind.Unreachable,
                $"did not accept a connection within {SourceHttp.ConnectTimeout.TotalSeconds:0} s",
                thrown
            ),
            _ when IsEndOfConnection(thrown) => Fault(SourceFaultKind.EndedEarly, "closed the connection in the middle", thrown),
            HttpRequestException => Unreadable(thrown),
            IOException when !cancellationToken.IsCancellationRequested => Unreadable(thrown),
            _ => null,
        };

    private SourceException Unreadable(Exception thrown) =>
        Fault(SourceFaultKind.Unreachable, $"cannot be read from: {thrown.GetBaseException().Message}", thrown);

    private static bool IsEndOfConnection(Exception e) =>
        e
            is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }
                or HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }
        || (
            e is HttpRequestException or IOException
            && e.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionReset }
        );
}
