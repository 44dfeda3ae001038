using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using FileTransfer.Http;

namespace FileTransfer.Tests.Http;

/// <summary>What Linux says of real connections; in a network of the test's own, which can be taken away.</summary>
public sealed partial class TcpProgressTests
{
    private const int NewNetwork = 0x40000000;
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(500);

    [OwnNetworkFact]
    public void A_reader_that_pauses_is_there_and_one_whose_network_is_gone_is_not() =>
        InOwnNetwork(() =>
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            using var reader = new TcpClient("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
            using var sender = listener.AcceptSocket();
            sender.Send(new byte[1000]);
            Holds(() => TcpProgress.Of(sender)!.Value.BytesAcknowledged >= 1000, "what came is confirmed");

            // Until no more goes in: the reader reads nothing, its system answers.
            sender.Blocking = false;
            while (sender.Send(new byte[64 * 1024], SocketFlags.None, out var full) > 0 && full == SocketError.Success) { }

            Holds(
                () =>
                    TcpProgress.Of(sender)!.Value is var pauses && pauses.SilentFor >= _patience && !pauses.IsGoneFor(_patience),
                "it is only silent between two probes"
            );

            Run("ip", "link", "set", "lo", "down");
            Holds(() => TcpProgress.Of(sender)!.Value.IsGoneFor(_patience), "nothing is answered any more");
        });

    private static void Holds(Func<bool> fact, string what) =>
        SpinWait.SpinUntil(fact, TimeSpan.FromSeconds(20)).ShouldBeTrue(what);

    /// <summary>A network belongs to a thread, the sockets it makes, and the programs it starts.</summary>
    private static void InOwnNetwork(Action act)
    {
        ExceptionDispatchInfo? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(NewNetwork) != 0)
                {
                    throw new Win32Exception(Marshal.GetLastPInvokeError());
                }

                Run("ip", "link", "set", "lo", "up");
                act();
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed with {process.ExitCode}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    /// <summary>Skipped, and says why, where no network of its own can be had.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class OwnNetworkFactAttribute : FactAttribute
    {
        public OwnNetworkFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
            : base(file, line)
        {
            try
            {
                InOwnNetwork(() => { });
            }
            catch (Exception e) when (e is Win32Exception or InvalidOperationException)
            {
                Skip = $"A network of its own cannot be had here; run as root, with iproute2. {e.Message}";
            }
        }
    }
}
