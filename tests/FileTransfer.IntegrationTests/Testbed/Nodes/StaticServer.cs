using System.Diagnostics;
using System.Net;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A web server that knows nothing of file transfer: one that is named, else nginx where it is installed, else static files of Kestrel.</summary>
public sealed class StaticServer : IAsyncDisposable
{
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

    /// <summary>Where a server is installed; null where it is not.</summary>
    public static string? ProgramOf(string name) =>
        new[] { "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin" }
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    public static async Task<StaticServer> StartAsync(string folder, string name = "nginx")
    {
        var url = new Uri($"http://127.0.0.1:{PortOfOwn.Next()}/share/");
        var server = ProgramOf(name) is null ? await StartKestrelAsync(folder, url) : StartProgram(name, folder, url);
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

    private static StaticServer StartProgram(string name, string folder, Uri url)
    {
        var prefix = Directory.CreateTempSubdirectory("filetransfer-web-");
        var configuration = Path.Combine(prefix.FullName, "server.conf");
        var (arguments, text) = ConfigurationOf(name, configuration, prefix.FullName, folder, url);
        File.WriteAllText(configuration, text);
        var start = new ProcessStartInfo(ProgramOf(name)!, arguments) { UseShellExecute = false, RedirectStandardError = true };
        start.Environment["HOME"] = prefix.FullName;
        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        return new StaticServer(url, process, prefix, null);
    }

    /// <summary>As docs/shares.md has them, and what keeps such a server away from the machine's own.</summary>
    private static (string[] Arguments, string Text) ConfigurationOf(
        string name,
        string file,
        string prefix,
        string folder,
        Uri url
    ) =>
        name switch
        {
            "nginx" => (
                ["-p", prefix, "-c", file, "-e", "stderr"],
                $$"""
                daemon off; master_process off; {{(Environment.UserName == "root" ? "user root;" : "")}}
                pid nginx.pid; error_log stderr;
                events { }
                http {
                    access_log off;
                    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                    server { listen {{url.Host}}:{{url.Port}}; location /share/ { alias {{folder}}/; } }
                }
                """
            ),
            "apache2" => (
                ["-D", "FOREGROUND", "-f", file],
                $"""
                ServerName localhost
                ServerRoot {prefix}
                Listen {url.Host}:{url.Port}
                PidFile {prefix}/apache.pid
                ErrorLog /dev/stderr
                LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
                LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
                LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
                User www-data
                Group www-data
                Alias /share/ {folder}/
                <Directory {folder}>
                    Require all granted
                    EnableSendfile On
                </Directory>
                """
            ),
            "lighttpd" => (
                ["-D", "-f", file],
                $"""
                server.modules = ("mod_alias")
                server.document-root = "{folder}"
                server.bind = "{url.Host}"
                server.port = {url.Port}
                alias.url = ("/share/" => "{folder}/")
                """
            ),
            "caddy" => (
                ["run", "--config", file, "--adapter", "caddyfile"],
                $$"""
                {
                    admin off
                }
                http://{{url.Host}}:{{url.Port}} {
                    handle_path /share/* {
                        root * {{folder}}
                        file_server
                    }
                }
                """
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Not a server that is known here."),
        };

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
