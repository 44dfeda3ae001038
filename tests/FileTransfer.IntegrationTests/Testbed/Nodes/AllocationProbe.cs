using System.Buffers.Binary;
using System.Net.Sockets;

namespace FileTransfer.IntegrationTests.Testbed.Nodes
{
    /// <summary>Asks a node's process how many bytes it has allocated since its start; the process is the program as it is shipped.</summary>
    /// <remarks>The runtime runs <c>StartupHook</c> in the process before the program's own first line.</remarks>
    internal sealed class AllocationProbe(string folder)
    {
        internal const string SocketName = "FILETRANSFER_TEST_ALLOCATIONS";

        // A unix socket's path is short.
        private readonly string _path = Path.Combine(folder, "probe");

        /// <summary>Settings of the node that is asked.</summary>
        public (string Name, string Value)[] Settings =>
            [(SocketName, _path), ("DOTNET_STARTUP_HOOKS", typeof(AllocationProbe).Assembly.Location)];

        public async Task<long> ReadAsync()
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path));
            await using var answer = new NetworkStream(socket);
            var bytes = new byte[sizeof(long)];
            await answer.ReadExactlyAsync(bytes);
            return BinaryPrimitives.ReadInt64LittleEndian(bytes);
        }
    }
}

#pragma warning disable CA1050, MA0047 // The runtime looks for this name without a namespace.
/// <summary>Runs in the process that is asked, before it: uses nothing but the runtime's own library.</summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (
            Environment.GetEnvironmentVariable(FileTransfer.IntegrationTests.Testbed.Nodes.AllocationProbe.SocketName)
            is not { } path
        )
        {
            return;
        }

        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        new Thread(() => Answer(listener)) { IsBackground = true }.Start();
    }

    private static void Answer(Socket listener)
    {
        var bytes = new byte[sizeof(long)];
        while (true)
        {
            using var asker = listener.Accept();
            BinaryPrimitives.WriteInt64LittleEndian(bytes, GC.GetTotalAllocatedBytes(precise: true));
            asker.Send(bytes);
        }
    }
}
#pragma warning restore CA1050, MA0047
