using System.Globalization;
using System.Net.Sockets;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Testbed.Wires;

/// <summary>An answer as it came: its status, its header lines by lower-case name, its body.</summary>
internal sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>A client that sends exactly the bytes a test wants, when it wants, and reads answers at any time.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly List<byte> _unread = [];

    public static async Task<RawConnection> OpenAsync(NodeProcess node)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(node.Url.Host, node.Url.Port);
        return connection;
    }

    public async Task SendHeadAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        var lines = headers.Select(header => $"{header.Name}: {header.Value}\r\n");
        await SendAsync(Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{string.Concat(lines)}\r\n"));
    }

    public async Task SendAsync(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length; )
        {
            sent += await _socket.SendAsync(bytes.AsMemory(sent), SocketFlags.None);
        }
    }

    /// <summary>A piece of a body whose end is not known when it begins.</summary>
    public Task SendChunkAsync(byte[] bytes) =>
        SendAsync([.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8]);

    /// <summary>Waits until this has come; all that came so far.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        string came;
        while (!(came = Encoding.UTF8.GetString([.. _unread])).Contains(text, StringComparison.Ordinal))
        {
            await ReceiveAsync(patience.Token);
        }

        return came;
    }

    /// <summary>Says that nothing more is sent; answers can still be read.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>The next answer; an interim one, such as 100, is an answer too.</summary>
    public async Task<RawAnswer> ReadAnswerAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        int end;
        while ((end = Encoding.Latin1.GetString([.. _unread]).IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
        {
            await ReceiveAsync(patience.Token);
        }

        var lines = Encoding.Latin1.GetString([.. _unread[..end]]).Split("\r\n");
        _unread.RemoveRange(0, end + 4);
        var headers = lines
            .Skip(1)
            .Select(line => line.Split(':', 2))
            .ToDictionary(parts => parts[0].ToLowerInvariant(), parts => parts[1].Trim(), StringComparer.Ordinal);
        var length = headers.TryGetValue("content-length", out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        while (_unread.Count < length)
        {
            await ReceiveAsync(patience.Token);
        }

        byte[] body = [.. _unread[..length]];
        _unread.RemoveRange(0, length);
        return new RawAnswer(int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture), headers, body);
    }

    /// <summary>Waits for the beginning of an answer, and leaves it.</summary>
    public async Task<int> StatusAsync()
    {
        const int length = 12; // HTTP/1.1 200
        await ReceiveSomeAsync(length);
        return int.Parse(Encoding.Latin1.GetString([.. _unread[(length - 3)..length]]), CultureInfo.InvariantCulture);
    }

    /// <summary>Reads some of what comes, and no more.</summary>
    public async Task ReceiveSomeAsync(int bytes)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (_unread.Count < bytes)
        {
            await ReceiveAsync(patience.Token);
        }
    }

    /// <summary>Goes away without a word: the peer sees a reset.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        var read = await _socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
        read.ShouldBeGreaterThan(0, $"the node closed the connection; before: {Encoding.Latin1.GetString([.. _unread])}");
        _unread.AddRange(buffer.AsSpan(0, read));
    }
}
