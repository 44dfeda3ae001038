using System.Net;
using System.Net.Sockets;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>Stands in front of a node and flips a bit of what it answers, now and then.</summary>
internal sealed class FlippingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Random _random = new(1);
    private readonly Task _accepting;
    private int _flips;

    public FlippingProxy()
    {
        _listener.Start();
        Url = $"http://{_listener.LocalEndpoint}";
        _accepting = AcceptAsync();
    }

    public string Url { get; }

    /// <summary>Where connections go.</summary>
    public Uri? Target { get; set; }

    /// <summary>The share of reads in which one bit is flipped.</summary>
    public double Share { get; set; }

    public int Flips => Volatile.Read(ref _flips);

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
                await node.ConnectAsync(Target!.Host, Target.Port, _stop.Token);
                await using var asked = client.GetStream();
                await using var answers = node.GetStream();
                await Task.WhenAny(CopyAsync(asked, answers, flips: false), CopyAsync(answers, asked, flips: true));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException) { }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool flips)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, _stop.Token)) > 0; )
            {
                if (flips)
                {
                    Flip(buffer.AsSpan(0, read));
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        { }
    }

    private void Flip(Span<byte> read)
    {
        lock (_random)
        {
            if (_random.NextDouble() < Share)
            {
                read[_random.Next(read.Length)] ^= (byte)(1 << _random.Next(8));
                _flips++;
            }
        }
    }
}
