using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>Stands in front of a node: counts the bytes that it sends, flips a bit of them now and then, or stands still when told to.</summary>
internal sealed class ForwardingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _clients = new();
    private readonly Random _random = new(1);
    private readonly Task _accepting;
    private long _sent;
    private int _flips;
    private int _standing;

    public ForwardingProxy()
    {
        _listener.Start();
        Url = $"http://{_listener.LocalEndpoint}";
        _accepting = AcceptAsync();
    }

    public string Url { get; }

    /// <summary>Where connections go; before it is set, they are closed.</summary>
    public Uri? Target { get; set; }

    /// <summary>After so many bytes one way a connection forwards no more.</summary>
    public long? StandsStillAfter { get; set; }

    /// <summary>Answers that are held back; their connections are closed when it completes.</summary>
    public TaskCompletionSource? Holds { get; set; }

    /// <summary>Requests at which their connection is closed, by how they begin.</summary>
    public Func<string, bool> Refuses { get; set; } = _ => false;

    /// <summary>Connections that stand still.</summary>
    public int StandingStill => Volatile.Read(ref _standing);

    /// <summary>The share of the node's reads in which one bit is flipped.</summary>
    public double FlippedShare { get; set; }

    public int Flips => Volatile.Read(ref _flips);

    public long BytesSent => Interlocked.Read(ref _sent);

    /// <summary>Ends every connection, and takes none until there is a <see cref="Target"/> again.</summary>
    public void Cut()
    {
        Target = null;
        foreach (var client in _clients.Keys)
        {
            client.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ForwardAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using (client)
        using (var node = new TcpClient())
        {
            try
            {
                if (Target is not { } target)
                {
                    return;
                }

                _clients[client] = true;
                await node.ConnectAsync(target.Host, target.Port, _stop.Token);
                await using var asked = client.GetStream();
                await using var answers = node.GetStream();
                await Task.WhenAny(CopyAsync(asked, answers, isAnswer: false), CopyAsync(answers, asked, isAnswer: true));
            }
            catch (Exception e)
                when (e is OperationCanceledException or SocketException or IOException or InvalidOperationException)
            {
                // Whoever asked is gone, or was cut off.
            }
            finally
            {
                _clients.TryRemove(client, out _);
            }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isAnswer)
    {
        var buffer = new byte[64 * 1024];
        var forwarded = 0L;
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, _stop.Token)) > 0; )
            {
                if (!isAnswer && Refuses(Encoding.ASCII.GetString(buffer.AsSpan(0, read))))
                {
                    return;
                }

                if (isAnswer && Holds is { } held)
                {
                    Interlocked.Increment(ref _standing);
                    await held.Task.WaitAsync(_stop.Token);
                    return;
                }

                if (isAnswer)
                {
                    Flip(buffer.AsSpan(0, read));
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
                Interlocked.Add(ref _sent, isAnswer ? read : 0);
                forwarded += read;
                if (forwarded > StandsStillAfter)
                {
                    Interlocked.Increment(ref _standing);
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        { }
    }

    private void Flip(Span<byte> read)
    {
        lock (_random)
        {
            if (_random.NextDouble() < FlippedShare)
            {
                read[_random.Next(read.Length)] ^= (byte)(1 << _random.Next(8));
                _flips++;
            }
        }
    }
}
