using System.Net.Sockets;
using System.Threading.Channels;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>A link to a server by its unix socket that takes some time one way, and can be cut.</summary>
internal sealed class DelayingWire : IAsyncDisposable
{
    private const string SocketName = ".s.PGSQL.5432";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ft-wire-");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _target;
    private readonly TimeSpan _delay;
    private readonly Task _accepting;
    private CancellationTokenSource _cut = new();
    private volatile bool _isCut;

    public DelayingWire(string targetFolder, TimeSpan delay)
    {
        _target = Path.Combine(targetFolder, SocketName);
        _delay = delay;
        var socket = Path.Combine(Folder, SocketName);
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101);
        _listener.Bind(new UnixDomainSocketEndPoint(socket));
        File.SetUnixFileMode(socket, (UnixFileMode)0b110_110_110);
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>What a connection string has for a host.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Ends what is connected, and whoever comes until <see cref="Restore"/>.</summary>
    public async Task CutAsync()
    {
        _isCut = true;
        await _cut.CancelAsync();
    }

    public void Restore()
    {
        _cut.Dispose();
        _cut = new CancellationTokenSource();
        _isCut = false;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await CutAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
        _cut.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync(_stop.Token);
                _ = ServeAsync(client, _isCut ? new CancellationToken(canceled: true) : _cut.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task ServeAsync(Socket client, CancellationToken cut)
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (client)
        {
            try
            {
                await server.ConnectAsync(new UnixDomainSocketEndPoint(_target), cut);
                await Task.WhenAny(PumpAsync(client, server, TimeSpan.Zero, cut), PumpAsync(server, client, _delay, cut));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException) { }
        }
    }

    /// <summary>What came is on its way for the time of the link, and what comes behind it is on its way beside it.</summary>
    private static async Task PumpAsync(Socket from, Socket to, TimeSpan delay, CancellationToken cut)
    {
        var underWay = Channel.CreateBounded<(byte[] Bytes, Task Arrival)>(1000);
        var sending = SendAsync();
        try
        {
            var buffer = new byte[64 * 1024];
            for (int read; (read = await from.ReceiveAsync(buffer, cut)) > 0; )
            {
                await underWay.Writer.WriteAsync((buffer[..read], Task.Delay(delay, cut)), cut);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }

        underWay.Writer.Complete();
        await sending;

        async Task SendAsync()
        {
            try
            {
                await foreach (var (bytes, arrival) in underWay.Reader.ReadAllAsync(cut))
                {
                    await arrival;
                    await to.SendAsync(bytes, cut);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
        }
    }
}
