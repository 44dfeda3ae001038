using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting;

public sealed class ProcessTests
{
    [Fact]
    public async Task SIGTERM_stops_an_idle_node_cleanly()
    {
        await using var node = new ServeProcess();
        await node.UntilItAnswersAsync();
        node.Send(ServeProcess.SigTerm);
        var (exitCode, error, _) = await node.EndAsync();
        exitCode.ShouldBe(0);
        error.ShouldBeEmpty();
    }

    [Fact]
    public async Task After_SIGTERM_a_node_is_not_ready_and_ends_with_its_last_transfer()
    {
        await using var node = new ServeProcess("--FileTransfer:DrainTimeout=00:10:00");
        await node.UntilItAnswersAsync();
        using var transfer = await StuckTransfer.StartAsync(node.Address);

        node.Send(ServeProcess.SigTerm);
        await node.UntilItDrainsAsync();

        (await transfer.ReadToEndAsync()).ShouldBeGreaterThan(1_000_000);
        (await node.EndAsync()).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_second_SIGTERM_stops_at_once()
    {
        await using var node = new ServeProcess("--FileTransfer:DrainTimeout=00:10:00");
        await node.UntilItAnswersAsync();
        using var transfer = await StuckTransfer.StartAsync(node.Address);

        node.Send(ServeProcess.SigTerm);
        await node.UntilItDrainsAsync();
        node.Send(ServeProcess.SigTerm);

        (await node.EndAsync()).ExitCode.ShouldBe(0);
    }

    [Theory]
    [InlineData("--FileTransfer:Role=Boss", "FileTransfer:Role is 'Boss'; write Auto, Follower or Standalone.")]
    [InlineData("--FileTransfer:Downloads:Lanes=0", "FileTransfer:Downloads:Lanes is '0'; write a number from 1 to 64.")]
    [InlineData("--urls=http://0.0.0.0:0", "http://0.0.0.0:0 can be reached from other machines")]
    [InlineData("--urls=https://127.0.0.1:0", "https://127.0.0.1:0 is an https address and there is no certificate for it")]
    [InlineData("--lanes=3", "Unknown option '--lanes'")]
    public async Task A_wrong_setting_ends_with_78_and_one_line(string setting, string message)
    {
        await using var node = new ServeProcess(setting);
        var (exitCode, error, output) = await node.EndAsync();
        exitCode.ShouldBe(78);
        error.ShouldContain(message);
        error.Trim().Split('\n').Length.ShouldBe(1);
        output.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_address_in_use_ends_with_78_and_one_line()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        await using var node = new ServeProcess($"--urls=http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}");
        var (exitCode, error, output) = await node.EndAsync();
        exitCode.ShouldBe(78);
        error.ShouldContain("in use");
        error.ShouldContain("--urls");
        error.Trim().Split('\n').Length.ShouldBe(1);
        output.ShouldNotContain("already in use");
    }

    [Fact]
    public async Task What_keeps_the_database_from_starting_ends_with_78_and_one_line_also_before_the_node_is_up()
    {
        using var data = new TempFolder();
        Directory.CreateDirectory(data.At("postgres/cluster"));
        await File.WriteAllTextAsync(data.At("postgres/cluster/PG_VERSION"), "99\n");
        await using var node = new ServeProcess("--ConnectionStrings:Postgres=", $"--FileTransfer:DataDirectory={data.Path}");
        var (exitCode, error, _) = await node.EndAsync();
        exitCode.ShouldBe(78);
        error.ShouldContain("PostgreSQL 99");
        error.Trim().Split('\n').Length.ShouldBe(1);
    }

    [Fact]
    public async Task Json_log_lines_are_objects()
    {
        await using var node = new ServeProcess("--FileTransfer:LogFormat=json");
        await node.UntilItAnswersAsync();
        using (var client = new HttpClient())
        {
            (await client.GetAsync(new Uri(node.Address, "/none%0Aforged"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        node.Send(ServeProcess.SigTerm);
        var lines = (await node.EndAsync())
            .Output.Trim()
            .Split('\n')
            .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement)
            .ToList();
        var request = lines.Single(line => line.TryGetProperty("Path", out var path) && path.GetString() == "/none%0Aforged");
        request.GetProperty("Status").GetInt32().ShouldBe(404);
        request.GetProperty("@t").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        request.GetProperty("@m").GetString()!.ShouldStartWith("127.0.0.1 anonymous GET /none%0Aforged 404 in ");
        request.GetProperty("Client").GetString().ShouldBe("127.0.0.1");
        request.GetProperty("Token").GetString().ShouldBe("anonymous");
        request.GetProperty("Cluster").GetString().ShouldBe("default");
        request.GetProperty("Node").GetString().ShouldBe(Environment.MachineName);
        request.GetProperty("BytesOut").GetInt64().ShouldBeGreaterThan(100, "the problem's body, though nobody told its length");
    }

    /// <summary>More answers than fit in any socket buffer, asked for at once and not read.</summary>
    private sealed class StuckTransfer(Socket socket) : IDisposable
    {
        private const int Requests = 40;

        public static async Task<StuckTransfer> StartAsync(Uri address)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8192 };
            await socket.ConnectAsync(IPAddress.Loopback, address.Port);
            var request = $"GET /swagger/swagger-ui-bundle.js HTTP/1.1\r\nHost: {address.Authority}\r\n\r\n";
            await socket.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, Requests))));
            await UntilFullAsync(socket);
            return new StuckTransfer(socket);
        }

        public async Task<long> ReadToEndAsync()
        {
            var buffer = new byte[1 << 20];
            long total = 0;
            for (int read; (read = await socket.ReceiveAsync(buffer)) > 0; )
            {
                total += read;
            }

            return total;
        }

        public void Dispose() => socket.Dispose();

        /// <summary>Filling the buffers takes the server milliseconds; full is what has not grown for a whole second.</summary>
        private static async Task UntilFullAsync(Socket socket)
        {
            var (seen, since) = (0, Stopwatch.GetTimestamp());
            while (seen == 0 || Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(1))
            {
                if (socket.Available != seen)
                {
                    (seen, since) = (socket.Available, Stopwatch.GetTimestamp());
                }

                await Task.Delay(20);
            }
        }
    }
}
