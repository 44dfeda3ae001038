using System.Diagnostics;

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

    /// <summary>For servers that are none of this program's: they are told of no trace, nor of what a caller has put beside its own.</summary>
    public static SocketsHttpHandler WithoutTraces(this SocketsHttpHandler handler)
    {
        handler.ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator();
        return handler;
    }

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

    public static bool IsLocalLink(Uri url) => IPAddress.TryParse(url.DnsSafeHost, out var address) && IsLocalLink(address);

    public static bool IsLocalLink(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.IsIPv6LinkLocal || _localLink.Contains(plain) || _providers.Contains(plain);
    }

    /// <summary>Where an answer redirects to; null where it does not.</summary>
    public static Uri? RedirectOf(HttpResponseMessage response) =>
        (int)response.StatusCode is 301 or 302 or 303 or 307 or 308
        && response is { Headers.Location: { } location, RequestMessage.RequestUri: { } asked }
        && Uri.TryCreate(asked, location, out var target)
            ? target
            : null;

    /// <summary>An address as far as anybody may see it: what else a URL has may be a secret.</summary>
    public static string ServerOf(Uri url) => url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    /// <summary>What an answer says by its status alone, to follow who answered.</summary>
    public static string StatusOf(HttpResponseMessage response) =>
        RedirectOf(response) is { } target
            ? $"answered {(int)response.StatusCode} to {ServerOf(target)}, and nothing was sent there; if that is where it is now, give this URL"
            : $"answered {(int)response.StatusCode}";

    /// <summary>How long the server asks to be left alone: in seconds, or until a date by its own clock where it says what that is.</summary>
    public static TimeSpan? RetryAfterOf(HttpResponseMessage response, TimeProvider time)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date - (response.Headers.Date ?? time.GetUtcNow()));
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
