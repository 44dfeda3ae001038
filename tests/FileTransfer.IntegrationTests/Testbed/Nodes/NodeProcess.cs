using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A sidecar as a real process: <c>filetransfer serve</c> on a loopback port that the system chose.</summary>
public sealed partial class NodeProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ServerLog _log = new();
    private readonly Lazy<HttpClient> _http;

    private NodeProcess(string id, string dataDirectory, Process process)
    {
        Id = id;
        DataDirectory = dataDirectory;
        _process = process;
        _http = new Lazy<HttpClient>(
            () => new HttpClient { BaseAddress = _log.Address, Timeout = TimeSpan.FromMinutes(5) },
            LazyThreadSafetyMode.PublicationOnly
        );
    }

    public string Id { get; }

    public string DataDirectory { get; }

    public Uri Url => _log.Address;

    /// <summary>Leads to <see cref="Url"/>, once that is known.</summary>
    public HttpClient Http => _http.Value;

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public string Log => _log.Text;

    /// <summary>Bytes of memory the process holds now.</summary>
    public long ResidentBytes =>
        long.Parse(
            File.ReadLines($"/proc/{Pid}/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', '\t')[^2],
            CultureInfo.InvariantCulture
        ) * 1024;

    /// <summary>Starts a node and waits until it answers.</summary>
    public static async Task<NodeProcess> StartAsync(
        string id,
        string dataDirectory,
        string connectionString,
        IReadOnlyDictionary<string, string>? settings = null,
        bool isPrivileged = true
    )
    {
        var node = Launch(id, dataDirectory, connectionString, settings, isPrivileged);
        try
        {
            await Eventually.HoldsAsync(
                async () => (await node.Http.GetAsync("/health/live")).IsSuccessStatusCode,
                $"{id} answers"
            );
            return node;
        }
        catch (Exception e)
        {
            var log = node.Log;
            await node.DisposeAsync();
            throw new InvalidOperationException($"Node {id} did not start: {e.Message}\n{log}", e);
        }
    }

    /// <summary>Starts a node and does not wait for anything, not even for its address.</summary>
    public static NodeProcess Launch(
        string id,
        string dataDirectory,
        string connectionString,
        IReadOnlyDictionary<string, string>? settings = null,
        bool isPrivileged = true
    )
    {
        string[] command =
            isPrivileged || !Environment.IsPrivilegedProcess
                ? ["dotnet"]
                : ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "dotnet"];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Directory.CreateDirectory(dataDirectory).FullName,
            Environment =
            {
                ["FileTransfer__NodeId"] = id,
                ["FileTransfer__DataDirectory"] = dataDirectory,
                ["FileTransfer__Store__FreeSpaceFloorBytes"] = "0",
                ["FileTransfer__Store__TrashPeriod"] = "00:00:00",
                ["ConnectionStrings__Postgres"] = connectionString,
            },
        };
        start.ArgumentList.Add(TestedProgram.Path);
        start.ArgumentList.Add("serve");
        start.ArgumentList.Add("--urls");
        start.ArgumentList.Add("http://127.0.0.1:0");
        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        var node = new NodeProcess(id, dataDirectory, process);
        process.OutputDataReceived += node._log.Append;
        process.ErrorDataReceived += node._log.Append;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return node;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        Signal(9);
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task<int> StopAsync()
    {
        Signal(15);
        await WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Waits for an end that is the node's own doing, and for the last line of its log.</summary>
    public Task WaitForExitAsync() => _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));

    public void Signal(int signal)
    {
        if (!_process.HasExited)
        {
            _ = Kill(_process.Id, signal);
        }
    }

    public async Task<JsonElement> GetJsonAsync(string path) => await Http.GetFromJsonAsync<JsonElement>(path);

    /// <summary>Waits until a check of its health says this.</summary>
    public Task CheckSaysAsync(string check, string status, string detail = "") =>
        Eventually.HoldsAsync(
            async () =>
            {
                var said = (await GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty(check);
                return said.GetProperty("status").GetString() == status
                    && said.GetProperty("detail").GetString()!.Contains(detail, StringComparison.Ordinal);
            },
            $"the check {check} of {Id} is {status}: {detail}"
        );

    /// <summary>The state of a file at this node; null when the cluster does not know it.</summary>
    public async Task<string?> StateOfAsync(string key)
    {
        using var response = await Http.GetAsync($"/v1/files/{key}");
        return response.StatusCode == HttpStatusCode.NotFound
            ? null
            : (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>())
                .GetProperty("state")
                .GetString();
    }

    /// <summary>Uploads any content raw and returns its file key. While nobody leads, it is sent again, as that answer asks for.</summary>
    public async Task<string> PutAsync(byte[] content, string location)
    {
        string text = "";
        HttpStatusCode status = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                using var body = new ByteArrayContent(content);
                using var response = await Http.PostAsync(
                    $"/v1/files?owner=0x01&bucket=0x02&location={Uri.EscapeDataString(location)}",
                    body
                );
                (status, text) = (response.StatusCode, await response.Content.ReadAsStringAsync());
                return !text.Contains("problem:no-leader", StringComparison.Ordinal);
            },
            "a node leads and takes an upload"
        );
        ((int)status).ShouldBeInRange(
            200,
            299,
            $"{text}\n{(status == HttpStatusCode.InternalServerError ? await FaultAsync() : "")}"
        );
        return JsonDocument.Parse(text).RootElement.GetProperty("key").GetString()!;
    }

    /// <summary>What the node logged of a request that it answered 500; the log is written behind the answer.</summary>
    public async Task<string> FaultAsync()
    {
        await Eventually.HoldsAsync(
            () => Task.FromResult(Log.Contains(" ERR ", StringComparison.Ordinal)),
            $"{Id} logs why it failed"
        );
        return string.Join('\n', Log.Split('\n').SkipWhile(line => !line.Contains(" ERR ", StringComparison.Ordinal)).Take(60));
    }

    public async ValueTask DisposeAsync()
    {
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }

        if (!_process.HasExited)
        {
            Signal(9);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
