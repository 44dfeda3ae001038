namespace FileTransfer.Http;

/// <summary>What all clients of nodes and sources have in common, the program's and the server's.</summary>
public static class ClientHandler
{
    /// <summary>A server that is up accepts within milliseconds; one whose machine is gone never says so.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private static readonly IPNetwork _localLink = IPNetwork.Parse("169.254.0.0/16");

    /// <summary>Metadata services with addresses of their own.</summary>
    private static readonly IPAddress[] _providers = [IPAddress.Parse("fd00:ec2::254"), IPAddress.Parse("100.100.100.200")];

    /// <summary>Connections that are kept warm, never redirected, and do not go through a proxy unless they are told to.</summary>
    public static SocketsHttpHandler Create() =>
        new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        };

    /// <summary>For addresses that others have told: nothing is sent to what only this machine's link or its provider answers at, whatever name leads there.</summary>
    public static SocketsHttpHandler WithoutLocalLinks(this SocketsHttpHandler handler) =>
        handler.WithoutAddresses(address =>
            IsLocalLink(address) ? "it is of one link alone, or of the machine's provider" : null
        );

    /// <summary>Nothing is sent to addresses that are refused, whatever name leads there.</summary>
    /// <param name="handler">Gets that rule.</param>
    /// <param name="faultOf">Why an address is refused, as a clause; null where it is not.</param>
    public static SocketsHttpHandler WithoutAddresses(this SocketsHttpHandler handler, Func<IPAddress, string?> faultOf)
    {
        handler.ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                var address = ((IPEndPoint)socket.RemoteEndPoint!).Address;
                return faultOf(address) is { } fault
                    ? throw new HttpRequestException($"{context.DnsEndPoint.Host} is the address of no node: {fault}")
                    : new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        return handler;
    }

    public static bool IsLocalLink(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.IsIPv6LinkLocal || _localLink.Contains(plain) || _providers.Contains(plain);
    }

    /// <summary>How long the server asks to be left alone: in seconds, or until a date by its own clock where it says what that is.</summary>
    public static TimeSpan? RetryAfterOf(HttpResponseMessage response, TimeProvider time)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date - (response.Headers.Date ?? time.GetUtcNow()));
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
