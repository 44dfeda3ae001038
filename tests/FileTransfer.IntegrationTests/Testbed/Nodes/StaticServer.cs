using System.Diagnostics;
using System.Net;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A web server that knows nothing of file transfer: nginx where it is installed, else static files of Kestrel.</summary>
public sealed class StaticServer : IAsyncDisposable
{
    private static readonly string? _nginx = new[] { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx" }.FirstOrDefault(
        File.Exists
    );

    private readonly Process? _process;
    private readonly WebApplication? _app;
    private readonly DirectoryInfo? _prefix;

    private StaticServer(Uri url, Process? process, DirectoryInfo? prefix, WebApplication? app)
    {
        Http = new HttpClient { BaseAddress = url };
        _process = process;
        _prefix = prefix;
        _app = app;
    }

    public HttpClient Http { get; }

    public static async Task<StaticServer> StartAsync(string folder)
    {
        var url = new Uri($"http://127.0.0.1:{PortOfOwn.Next()}/share/");
        var server = _nginx is null ? await StartKestrelAsync(folder, url) : StartNginx(folder, url);
        await Eventually.HoldsAsync(
            async () => (await server.Http.GetAsync("nothing")).StatusCode == HttpStatusCode.NotFound,
            "the static server answers"
        );
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
            _prefix!.Delete(recursive: true);
        }

        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    private static StaticServer StartNginx(string folder, Uri url)
    {
        var prefix = Directory.CreateTempSubdirectory("filetransfer-nginx-");
        var user = Environment.UserName == "root" ? "user root;" : "";
        File.WriteAllText(
            Path.Combine(prefix.FullName, "nginx.conf"),
            $$"""
            daemon off; master_process off; {{user}}
            pid nginx.pid; error_log stderr;
            events { }
            http {
                access_log off;
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                server { listen {{url.Host}}:{{url.Port}}; location /share/ { alias {{folder}}/; } }
            }
            """
        );
        var start = new ProcessStartInfo(_nginx!) { UseShellExecute = false, RedirectStandardError = true };
        foreach (var argument in new[] { "-p", prefix.FullName, "-c", "nginx.conf", "-e", "stderr" })
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        return new StaticServer(url, process, prefix, null);
    }

    private static async Task<StaticServer> StartKestrelAsync(string folder, Uri url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url.GetLeftPart(UriPartial.Authority));
        var app = builder.Build();
        app.UseStaticFiles(
            new StaticFileOptions
            {
                FileProvider = new PhysicalFileProvider(folder),
                RequestPath = "/share",
                ServeUnknownFileTypes = true,
            }
        );
        await app.StartAsync();
        return new StaticServer(url, null, null, app);
    }
}
