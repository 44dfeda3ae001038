using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>A PostgreSQL proxy on a loopback port. Every client logs in at a backend of its own; what happens then is the proxy's kind.</summary>
/// <remarks>
/// <c>Session</c> leaves the client its backend. The others put it into a pool of at most <c>backends</c>, and lend one of the pool for the
/// time of a transaction: the one freed last, as pgbouncer does by default, or the one idle longest.
/// </remarks>
internal sealed class PoolingProxy : IAsyncDisposable
{
    public enum Kind
    {
        Session,
        LastUsedFirst,
        RoundRobin,
    }

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly LinkedList<NetworkStream> _idle = [];
    private readonly SemaphoreSlim _available = new(0);
    private readonly Kind _kind;
    private readonly int _backends;
    private readonly EndPoint _server;
    private readonly List<Socket> _sockets = [];
    private readonly List<Task> _clients = [];
    private readonly Task _accepting;
    private int _pooled;
    private volatile bool _frozen;

    public PoolingProxy(string connectionString, Kind kind, int backends)
    {
        _kind = kind;
        _backends = backends;
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        _server = settings.Host!.StartsWith('/')
            ? new UnixDomainSocketEndPoint($"{settings.Host}/.s.PGSQL.{settings.Port}")
            : new DnsEndPoint(settings.Host, settings.Port);
        _listener.Start();
        settings.Host = "127.0.0.1";
        settings.Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        settings.SslMode = SslMode.Disable;
        settings.GssEncryptionMode = GssEncryptionMode.Disable;
        ConnectionString = settings.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>From now on nothing gets through and nothing is closed: a cable is pulled.</summary>
    public void Freeze() => _frozen = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _sockets.ForEach(socket => socket.Dispose());
        await Task.WhenAll(_clients);
        _stop.Dispose();
        _available.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = Kept(await _listener.AcceptSocketAsync(_stop.Token));
                _clients.Add(ServeAsync(client));
            }
        }
        catch (OperationCanceledException) { }
    }

    private NetworkStream Kept(Socket socket)
    {
        lock (_sockets)
        {
            _sockets.Add(socket);
        }

        return new NetworkStream(socket, ownsSocket: true);
    }

    private async Task ServeAsync(NetworkStream client)
    {
        NetworkStream? mine = null;
        try
        {
            var login = await LogInAsync(client);
            if (_kind == Kind.Session)
            {
                mine = login;
            }
            else if (Interlocked.Increment(ref _pooled) <= _backends)
            {
                Free(login);
            }
            else
            {
                await login.DisposeAsync();
            }

            while (await ReadMessageAsync(client) is { Type: not (byte)'X' } message)
            {
                if (_frozen)
                {
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                }

                mine ??= await LendAsync();
                await mine.WriteAsync(message.Bytes, _stop.Token);
                if (
                    message.Type is (byte)'S' or (byte)'Q'
                    && await RelayAnswerAsync(mine, client) == 'I'
                    && _kind != Kind.Session
                )
                {
                    Free(mine);
                    mine = null;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The client or the proxy is gone.
        }
        finally
        {
            await client.DisposeAsync();
            if (mine is not null)
            {
                await mine.DisposeAsync();
            }
        }
    }

    private async Task<NetworkStream> LogInAsync(NetworkStream client)
    {
        var length = new byte[4];
        await client.ReadExactlyAsync(length, _stop.Token);
        var startup = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        length.CopyTo(startup, 0);
        await client.ReadExactlyAsync(startup.AsMemory(4), _stop.Token);

        var socket = new Socket(
            _server.AddressFamily,
            SocketType.Stream,
            _server is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp
        );
        await socket.ConnectAsync(_server, _stop.Token);
        var server = Kept(socket);
        await server.WriteAsync(startup, _stop.Token);
        while (await ReadMessageAsync(server) is { } message)
        {
            await client.WriteAsync(message.Bytes, _stop.Token);
            if (message.Type == (byte)'Z')
            {
                return server;
            }

            // 3, 5, 10 and 11 ask the client for something.
            if (message.Type == (byte)'R' && BinaryPrimitives.ReadInt32BigEndian(message.Bytes.AsSpan(5)) is 3 or 5 or 10 or 11)
            {
                await server.WriteAsync((await ReadMessageAsync(client))!.Value.Bytes, _stop.Token);
            }
        }

        throw new IOException("The server closed the connection before it was ready.");
    }

    /// <returns>The transaction state in the end: I, T or E.</returns>
    private async Task<char> RelayAnswerAsync(NetworkStream server, NetworkStream client)
    {
        while (await ReadMessageAsync(server) is { } message)
        {
            await client.WriteAsync(message.Bytes, _stop.Token);
            if (message.Type == (byte)'Z')
            {
                return (char)message.Bytes[5];
            }
        }

        throw new IOException("The server closed the connection.");
    }

    private async Task<NetworkStream> LendAsync()
    {
        await _available.WaitAsync(_stop.Token);
        lock (_idle)
        {
            var node = _kind == Kind.RoundRobin ? _idle.First! : _idle.Last!;
            _idle.Remove(node);
            return node.Value;
        }
    }

    private void Free(NetworkStream server)
    {
        lock (_idle)
        {
            _idle.AddLast(server);
        }

        _available.Release();
    }

    private async Task<(byte Type, byte[] Bytes)?> ReadMessageAsync(NetworkStream stream)
    {
        var head = new byte[5];
        if (await stream.ReadAtLeastAsync(head, 5, throwOnEndOfStream: false, _stop.Token) < 5)
        {
            return null;
        }

        var bytes = new byte[1 + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        head.CopyTo(bytes, 0);
        await stream.ReadExactlyAsync(bytes.AsMemory(5), _stop.Token);
        return (head[0], bytes);
    }
}
