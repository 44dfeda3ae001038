using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Hosting.Requests;

/// <summary>A reader who does everything that it may, as much as it can: the node, its database and other readers hold.</summary>
public sealed class HostileReaderTests
{
    private const long MiB = 1024 * 1024;
    private const int FileBytes = 8 * (int)MiB;
    private const int UploadRate = 4 * (int)MiB;

    private static readonly TimeSpan _for = Showing.Of(TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(10));

    /// <summary>With room for a machine whose processors others want: what cannot be collected in time lies about.</summary>
    private static readonly long _mostBytes = Showing.Of(400_000_000, 300_000_000);

    private static readonly TimeSpan _held = TimeSpan.FromMinutes(1);

    /// <summary>The reader has the node's own processors here, which it would not have from outside.</summary>
    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(1);

    /// <summary>A build machine does other things beside, which makes everything last longer, also in the database.</summary>
    private static readonly double _coreOfDatabase = Showing.Of(0.25, 0.10);

    private static readonly string[] _asked =
    [
        "/v1/files?limit=1000",
        "/v1/files?limit=1000&bucket=0x0b",
        "/v1/files?location=l&limit=1000",
        "/v1/files/{key}",
        "/v1/files/{key}/explain",
        "/v1/nodes",
        "/v1/buckets",
        "/v1/buckets/0x0b/missing",
        "/v1/buckets/0x0b/health",
        "/v1/quotas",
        "/v1/queue",
        "/v1/history",
        "/v1/changes?after=",
        "/v1/loads",
        "/v1/health",
        "/v1/sources",
        "/v1/configuration",
        "/metrics",
        "/swagger/v1/swagger.json",
        "/v1/none",
    ];

    [Thorough]
    [Fact]
    public async Task A_reader_with_all_it_may_do_takes_neither_memory_nor_database_nor_the_share_of_another()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var node = await cluster.StartAsync("a", [.. _settings]);
        var content = new PlainFile(PlainFile.RandomBytes(FileBytes), bucket: [0x0b]);
        using var root = Client(1, "root");
        root.BaseAddress = node.Url;
        await Eventually.HoldsAsync(async () => (await root.GetAsync("/health/leader")).IsSuccessStatusCode, "a leads");
        await StoreAsync(root, content);

        using var greedy = Client(1, "greedy");
        greedy.BaseAddress = node.Url;
        using var other = Client(2, "other");
        other.BaseAddress = node.Url;
        using var end = new CancellationTokenSource();
        var postmaster = await PostmasterAsync(server);
        var before = ProcessorSeconds(postmaster);
        List<Task> doings =
        [
            .. Enumerable.Range(0, 300).Select(_ => HoldAsync(greedy, "/v1/files?limit=1000", end.Token)),
            .. Enumerable.Range(0, 300).Select(_ => HoldAsync(greedy, "/v1/events", end.Token)),
            .. Enumerable.Range(0, 200).Select(_ => HoldAsync(greedy, $"/download/{content.Key}", end.Token)),
            .. Enumerable.Range(0, 50).Select(_ => DownloadAsync(greedy, content.Key, end.Token)),
            .. Enumerable.Range(0, 32).Select(at => AskAsync(greedy, content.Key, at, end.Token)),
        ];
        var share = DownloadAsync(other, content.Key, end.Token);
        var (most, asked, refused) = (0L, 0, 0);
        for (
            var (since, look) = (TimeProvider.System.GetTimestamp(), 0);
            TimeProvider.System.GetElapsedTime(since) < _for;
            look++
        )
        {
            using var pace = new PeriodicTimer(TimeSpan.FromSeconds(0.5));
            await pace.WaitForNextTickAsync();
            most = Math.Max(most, node.ResidentBytes);
            using var answer = await other.GetAsync(look % 2 == 0 ? "/v1/files?limit=1" : $"/v1/files/{content.Key}");
            asked++;
            refused += answer.IsSuccessStatusCode ? 0 : 1;
        }

        var (cores, seconds) = ((ProcessorSeconds(postmaster) - before) / _for.TotalSeconds, _for.TotalSeconds);
        await end.CancelAsync();
        await Task.WhenAll(doings);
        var rate = await share / seconds;

        Showing.Tell("memory of a node that a hostile reader asks for everything", most / 1e6, _mostBytes / 1e6, "MB");
        Showing.Tell("database meanwhile", cores, _coreOfDatabase, "cores");
        Showing.Tell("another reader's part of the upload limit meanwhile", rate / UploadRate, 0.4, "");
        most.ShouldBeLessThan(_mostBytes);
        cores.ShouldBeLessThan(_coreOfDatabase);
        rate.ShouldBeGreaterThan(UploadRate * Showing.Of(0.1, 0.4));
        refused.ShouldBe(0, $"of {asked} requests of another reader");
    }

    private static IEnumerable<(string, string)> _settings =>
        [
            .. new[] { "root", "greedy", "other" }.SelectMany(
                (name, i) =>
                    new[]
                    {
                        ($"FileTransfer__Tokens__{i}__Name", name),
                        (
                            $"FileTransfer__Tokens__{i}__Sha256",
                            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))
                        ),
                        ($"FileTransfer__Tokens__{i}__Scopes__0", name == "root" ? "admin" : "read"),
                    }
            ),
            ("FileTransfer__Limits__Upload", "4MiB/s"),
            // As for strangers.
            ("FileTransfer__Callers__Requests", "200"),
            ("FileTransfer__Callers__EventStreams", "50"),
            ("FileTransfer__Callers__Reads", "20"),
            ("FileTransfer__Callers__ReadsPerSecond", "5"),
            ("FileTransfer__Serving__PausedReaders", "64"),
        ];

    /// <summary>A client at an address of its own, as the node shares its bandwidth by address.</summary>
    private static HttpClient Client(int lastOfAddress, string token)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(IPAddress.Parse($"127.0.0.{lastOfAddress}"), 0));
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>A content, and a thousand files whose locations are as long as a page can bear.</summary>
    private static async Task StoreAsync(HttpClient root, PlainFile content)
    {
        var many = Enumerable
            .Range(0, 1000)
            .Select(i =>
            {
                var location = Encoding.UTF8.GetBytes($"l{i:0000}{new string('x', 30_000)}");
                return new PlainFile(BitConverter.GetBytes(i), location, [0x0b]);
            });
        foreach (var files in many.Chunk(100).Append([content]))
        {
            using var body = new ByteArrayContent(PlainBatch.Of(files));
            body.Headers.ContentType = new MediaTypeHeaderValue(PlainBatch.MediaType);
            using var answer = await root.PostAsync(PlainBatch.Route, body);
            PlainBatch.LinesOf(await answer.Content.ReadAsStringAsync()).ShouldAllBe(line => line.Status() == 201);
        }
    }

    /// <summary>Asks, and takes nothing of the answer; asks again when it is ended.</summary>
    private static Task HoldAsync(HttpClient client, string path, CancellationToken cancellationToken) =>
        RepeatAsync(
            async () =>
            {
                using var answer = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                await Task.Delay(answer.IsSuccessStatusCode ? _held : _rest, cancellationToken);
                return 0;
            },
            cancellationToken
        );

    private static Task AskAsync(HttpClient client, string key, int at, CancellationToken cancellationToken) =>
        RepeatAsync(
            async () =>
            {
                var path = _asked[at++ % _asked.Length].Replace("{key}", key, StringComparison.Ordinal);
                return (await client.GetByteArrayAsync(path, cancellationToken)).Length;
            },
            cancellationToken
        );

    private static Task<long> DownloadAsync(HttpClient client, string key, CancellationToken cancellationToken) =>
        RepeatAsync(
            async () =>
            {
                var bytes = 0L;
                var buffer = new byte[64 * 1024];
                using var answer = await client.GetAsync(
                    $"/download/{key}",
                    HttpCompletionOption.ResponseHeadersRead,
                    cancellationToken
                );
                await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
                try
                {
                    for (var read = 1; read > 0; bytes += read)
                    {
                        read = await body.ReadAsync(buffer, cancellationToken);
                    }
                }
                catch (OperationCanceledException)
                {
                    // What has come by the end counts.
                }

                return answer.IsSuccessStatusCode ? bytes : 0;
            },
            cancellationToken
        );

    private static async Task<long> RepeatAsync(Func<Task<long>> doing, CancellationToken cancellationToken)
    {
        var sum = 0L;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                sum += await doing();
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or SocketException)
            {
                // Refused or cut off: it goes on.
                await Task.WhenAny(Task.Delay(_rest, cancellationToken));
            }
        }

        return sum;
    }

    private static async Task<int> PostmasterAsync(PrivatePostgres server)
    {
        var folder = await server.ScalarAsync<string>("SELECT current_setting('data_directory')");
        return int.Parse(File.ReadLines(Path.Combine(folder!, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
    }

    /// <summary>What the server has used so far: its processes that run, and those that have ended.</summary>
    private static double ProcessorSeconds(int postmaster)
    {
        var running = Directory
            .GetDirectories("/proc")
            .Select(folder =>
                int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? StatOf(pid) : []
            )
            .Where(stat => stat.Length > 0 && stat[1] == $"{postmaster}")
            .Sum(stat => Ticks(stat, 11, 12));
        return (running + Ticks(StatOf(postmaster), 11, 12, 13, 14)) / 100.0;
    }

    private static long Ticks(string[] stat, params int[] fields) =>
        fields.Sum(field => long.Parse(stat[field], CultureInfo.InvariantCulture));

    /// <summary>What follows the name in <c>/proc/PID/stat</c>: state, parent, and so on; empty where the process is gone.</summary>
    private static string[] StatOf(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }
}
