using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>The wire between a node and those who fetch from it: counts connections and requests. Stands in for the node at its address.</summary>
internal sealed class RequestWire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _pumps = [];
    private readonly Task _accepting;
    private Lead? _lead;
    private int _connections;
    private int _requests;

    public RequestWire()
    {
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>The address that the node is to advertise.</summary>
    public Uri Address { get; }

    public int Connections => Volatile.Read(ref _connections);

    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Method and path of each request that came whole, in their order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Where everything goes; before it is set, connections are closed, and so are those that led to another before.</summary>
    public void LeadTo(Uri node) =>
        Interlocked
            .Exchange(ref _lead, new Lead(node, CancellationTokenSource.CreateLinkedTokenSource(_stop.Token)))
            ?.Until.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_pumps);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                _pumps.Add(ServeAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var node = new TcpClient();
        try
        {
            if (Volatile.Read(ref _lead) is not var (target, until))
            {
                return;
            }

            await node.ConnectAsync(target.Host, target.Port, until.Token);
            await using var from = client.GetStream();
            await using var to = node.GetStream();
            await Task.WhenAny(PumpRequestsAsync(from, to, until.Token), to.CopyToAsync(from, until.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException) { }
        finally
        {
            client.Dispose();
        }
    }

    /// <summary>A request without a body comes whole in one read.</summary>
    private async Task PumpRequestsAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            Interlocked.Add(ref _requests, buffer.AsSpan(0, read).Count("\r\n\r\n"u8));
            foreach (var line in Encoding.ASCII.GetString(buffer, 0, read).Split("\r\n"))
            {
                if (line.EndsWith(" HTTP/1.1", StringComparison.Ordinal))
                {
                    Asked.Enqueue(line[..^" HTTP/1.1".Length]);
                }
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    private sealed record Lead(Uri Node, CancellationTokenSource Until);
}
