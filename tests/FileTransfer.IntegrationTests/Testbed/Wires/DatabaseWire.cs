using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>
/// The wire between a client and its PostgreSQL: counts the round trips, and can be cut as a network is, so that neither side hears of it
/// while all sockets stay open.
/// </summary>
internal sealed class DatabaseWire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _clients = [];
    private readonly List<Socket> _servers = [];
    private readonly List<Task> _pumps = [];
    private readonly EndPoint _server;
    private readonly Task _accepting;
    private TaskCompletionSource _whole = Completed();
    private int _roundTrips;

    public DatabaseWire(string connectionString)
    {
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

    /// <summary>
    /// How often a client waited for the server. What it sends without waiting in between (the BEGIN before a first statement, a pooled
    /// connection's reset) goes with what follows.
    /// </summary>
    public int RoundTrips => Volatile.Read(ref _roundTrips);

    /// <summary>Nothing passes any more, in either direction.</summary>
    public void Cut() => Volatile.Write(ref _whole, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>The server finds its connections dead, as its keepalives would after a while.</summary>
    public void ServerGivesUp()
    {
        lock (_servers)
        {
            _servers.ForEach(socket => socket.Dispose());
        }
    }

    /// <summary>What is sent from now on passes; connections of before are gone.</summary>
    public void Mend()
    {
        lock (_servers)
        {
            _servers.ForEach(socket => socket.Dispose());
            _clients.ForEach(socket => socket.Dispose());
        }

        Volatile.Read(ref _whole).TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Mend();
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
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                var server = new Socket(
                    _server.AddressFamily,
                    SocketType.Stream,
                    _server is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp
                );
                lock (_servers)
                {
                    _clients.Add(client);
                    _servers.Add(server);
                }

                _pumps.Add(ServeAsync(client, server));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task ServeAsync(Socket client, Socket server)
    {
        try
        {
            await Volatile.Read(ref _whole).Task.WaitAsync(_stop.Token);
            await server.ConnectAsync(_server, _stop.Token);
            await Task.WhenAny(PumpAsync(client, server, counts: true), PumpAsync(server, client, counts: false));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
        finally
        {
            if (Volatile.Read(ref _whole).Task.IsCompleted)
            {
                client.Dispose();
            }

            server.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool counts)
    {
        var buffer = new byte[64 * 1024];
        var startup = true;
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            {
                // What arrives while the wire is cut never gets through.
                await Volatile.Read(ref _whole).Task.WaitAsync(_stop.Token);
                if (counts && !startup)
                {
                    Count(buffer.AsSpan(0, read));
                }

                startup = false;
                await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    /// <summary>The client's small messages come whole in one read. It waits for an answer after a Sync and a simple Query.</summary>
    private void Count(ReadOnlySpan<byte> messages)
    {
        while (messages.Length >= 5)
        {
            if (messages[0] is (byte)'S' or (byte)'Q')
            {
                Interlocked.Increment(ref _roundTrips);
                return;
            }

            var length = 1 + BinaryPrimitives.ReadInt32BigEndian(messages[1..]);
            messages = messages[Math.Min(length, messages.Length)..];
        }
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
