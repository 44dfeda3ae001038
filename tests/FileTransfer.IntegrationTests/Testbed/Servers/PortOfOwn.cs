using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>
/// Ports for servers that cannot be told to take any: below the range that the system gives away, so that none is taken between being
/// chosen and being bound, nor while its server is down.
/// </summary>
internal static class PortOfOwn
{
    private const string Range = "/proc/sys/net/ipv4/ip_local_port_range";
    private const int First = 10_000;
    private static readonly int _count =
        (File.Exists(Range) ? int.Parse(File.ReadAllText(Range).Split('\t', ' ')[0], CultureInfo.InvariantCulture) : 32_768)
        - First;

    /// <summary>Two runs at the same time begin at different places.</summary>
    private static int _next = Environment.ProcessId * 100;

    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _next) % _count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse) { }
        }
    }
}
