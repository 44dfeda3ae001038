using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FileTransfer.Hosting;
using FileTransfer.IntegrationTests.Testbed.Disks;
using Microsoft.AspNetCore.Builder;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>The composed server on a free loopback port, with a folder of its own as current folder and data.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    /// <summary>Nobody listens on this port: what is tested here holds while the database is away too.</summary>
    public const string NoDatabase = "--ConnectionStrings:Postgres=Host=127.0.0.1;Port=1;Username=nobody;Database=none;Timeout=2";

    private readonly WebApplication _app;

    private RunningServer(WebApplication app, TempFolder folder)
    {
        (_app, Folder) = (app, folder);
        // A body that is refused before it is sent is never sent, however busy the machine is.
        var handler = new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) };
        Client = new HttpClient(handler) { BaseAddress = new Uri(app.Urls.First()) };
    }

    public TempFolder Folder { get; }

    public HttpClient Client { get; }

    public Uri Address => Client.BaseAddress!;

    public WebApplication App => _app;

    /// <summary>Starts with <paramref name="settings"/> as appsettings.json of the current folder, and the routes of the test.</summary>
    public static async Task<RunningServer> StartAsync(
        string? settings = null,
        Action<WebApplication>? map = null,
        params string[] args
    )
    {
        var folder = new TempFolder();
        if (settings is not null)
        {
            await File.WriteAllTextAsync(folder.At("appsettings.json"), settings);
        }

        var app = FileTransferServer.Build(
            [
                "--urls",
                "http://127.0.0.1:0",
                $"--FileTransfer:DataDirectory={folder.At("data")}",
                NoDatabase,
                "--Serilog:MinimumLevel:Default=Fatal",
                .. args,
            ],
            folder.Path
        );
        map?.Invoke(app);
        await app.StartAsync();
        return new RunningServer(app, folder);
    }

    /// <summary>One entry of <c>FileTransfer:Tokens</c>.</summary>
    public static string Token(string token, params string[] scopes) =>
        $$"""{ "Name": "{{token}}", "Sha256": "{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))}}", "Scopes": [{{string.Join(", ", scopes.Select(scope => $"\"{scope}\""))}}] }""";

    public static string Tokens(params string[] tokens) =>
        $$"""{ "FileTransfer": { "Tokens": [{{string.Join(", ", tokens)}}] } }""";

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? token = null,
        HttpContent? body = null
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.ExpectContinue = body is not null;
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Folder.Dispose();
    }
}

internal static class ProblemReading
{
    /// <summary>The body of a problem, checked for what every problem has.</summary>
    public static async Task<JsonElement> ReadProblemAsync(this HttpResponseMessage answer, string slug)
    {
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var body = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync()).RootElement;
        body.GetProperty("type").GetString().ShouldBe("urn:filetransfer:problem:" + slug);
        body.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
        body.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
        body.GetProperty("status").GetInt32().ShouldBe((int)answer.StatusCode);
        return body;
    }
}
