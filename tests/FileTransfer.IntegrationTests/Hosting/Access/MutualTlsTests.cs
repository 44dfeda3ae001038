using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using FileTransfer.Cli.Client;
using FileTransfer.Cluster.Peers;
using FileTransfer.Contracts;
using FileTransfer.Hosting;
using FileTransfer.Http;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FileTransfer.IntegrationTests.Hosting.Access;

public sealed class MutualTlsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new("Nodes");
    private readonly TestAuthority _otherAuthority = new("Others");

    [Fact]
    public async Task Only_a_client_of_the_authority_gets_in()
    {
        await using var server = await StartAsync();
        var address = SecureAddressOf(server);

        using var known = Client(_authority.Sign("node-b"));
        (await known.GetAsync(new Uri(address, "/admin"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var unknown = Client(_otherAuthority.Sign("node-c"));
        await Should.ThrowAsync<HttpRequestException>(() => unknown.GetAsync(new Uri(address, "/admin")));

        using var nobody = Client(null);
        await Should.ThrowAsync<HttpRequestException>(() => nobody.GetAsync(new Uri(address, "/admin")));

        // The plain endpoint beside it reaches this machine alone, and is open to nobody for that.
        var plain = new Uri(server.App.Urls.Single(url => url.StartsWith("http:", StringComparison.Ordinal)));
        (await nobody.GetAsync(new Uri(plain, "/admin"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await nobody.GetAsync(new Uri(plain, "/health/live"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var page = new HttpRequestMessage(HttpMethod.Post, new Uri(address, "/v1/drain"))
        {
            Headers = { { "Origin", "https://evil.example" } },
        };
        using var refused = await known.SendAsync(page);
        await refused.ReadProblemAsync("origin-refused");

        _authority.Write(_folder.At("program.pem"), "operator");
        using var program = NodeClient.OpenHttp(
            null,
            new CertificateFile("", _folder.At("program.pem"), null, null, TimeProvider.System),
            new AuthorityFile(_folder.At("authority.pem"), TimeProvider.System)
        );
        (await program.GetAsync(new Uri(address, "/admin"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        string[] check = ["healthcheck", "--url", $"{address}", "--authority", _folder.At("authority.pem")];
        (await TestedProgram.RunAsync([.. check, "--certificate", _folder.At("program.pem")])).Code.ShouldBe(0);
        (await TestedProgram.RunAsync(check)).Code.ShouldBe(1);
    }

    [Fact]
    public async Task A_certificate_is_one_nodes_renewed_while_nodes_run_and_revoked_alone()
    {
        await using var server = await StartAsync(
            "--FileTransfer:Tokens:0:Name=c",
            "--FileTransfer:Tokens:0:Certificate=node-c.example",
            "--FileTransfer:Tokens:0:Node=c"
        );
        var address = SecureAddressOf(server);
        var first = _authority.Write(_folder.At("b.pem"), "node-b", "urn:filetransfer:node:b");
        _authority.Write(_folder.At("c.pem"), "node-c");
        _authority.Write(_folder.At("d.pem"), "node-d", "urn:filetransfer:node:b");
        await using var b = await StartNodeAsync("b");
        await using var c = await StartNodeAsync("c");
        await using var d = await StartNodeAsync("d");

        (await AskAsync(b, new Uri(address, "/reader"))).ShouldBe((HttpStatusCode.OK, "b"));
        (await AskAsync(c, new Uri(address, "/reader"))).ShouldBe((HttpStatusCode.OK, "c"));
        (await AskAsync(b, new Uri(address, "/admin"))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await AskAsync(d, new Uri(address, "/reader"))).Status.ShouldBe(
            HttpStatusCode.Unauthorized,
            "it shows the certificate of b"
        );

        (await AskAsync(b, new Uri(address, "/serial"))).Body.ShouldBe(first);
        var second = _authority.Write(_folder.At("b.pem"), "node-b", "urn:filetransfer:node:b");
        var own = _authority.Write(_folder.At("own.pem"), "node-a");
        await Eventually.HoldsAsync(
            async () => (await AskAsync(b, new Uri(address, "/serial"))).Body == second && await SerialOfAsync(address) == own,
            "the renewed certificates are shown"
        );

        using var asked = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/stream"));
        using var stream = await b.App.Services.GetRequiredService<PeerClient>().SendAsync(asked, CancellationToken.None);
        stream.StatusCode.ShouldBe(HttpStatusCode.OK);

        await File.WriteAllTextAsync(
            server.Folder.At("next.json"),
            $$"""{ "FileTransfer": { "RevokedCertificates": [ "{{second}}" ] } }"""
        );
        File.Move(server.Folder.At("next.json"), server.Folder.At("appsettings.json"), overwrite: true);
        await Eventually.HoldsAsync(
            async () => (await AskAsync(b, new Uri(address, "/reader"))).Status == HttpStatusCode.Unauthorized,
            "the certificate is revoked"
        );
        await Should.ThrowAsync<HttpRequestException>(() => stream.Content.ReadAsStringAsync(), "what runs is cut off");
        (await AskAsync(c, new Uri(address, "/reader"))).ShouldBe((HttpStatusCode.OK, "c"));

        async Task<string> SerialOfAsync(Uri at)
        {
            using var connection = new TcpClient(at.Host, at.Port);
            await using var tls = new SslStream(connection.GetStream());
            using var client = _authority.Sign("node-x");
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = at.Host,
                    ClientCertificates = [client],
                    CertificateChainPolicy = _authority.Trust(),
                }
            );
            return tls.RemoteCertificate is X509Certificate2 shown ? shown.SerialNumber : "";
        }
    }

    [Fact]
    public async Task Over_TLS_what_is_no_request_is_a_bare_status_and_what_comes_without_TLS_gets_no_answer()
    {
        await using var server = await StartAsync();
        var address = SecureAddressOf(server);
        using (var connection = new TcpClient(address.Host, address.Port))
        await using (var tls = new SslStream(connection.GetStream()))
        {
            using var own = _authority.Sign("node-b");
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = address.Host,
                    ClientCertificates = [own],
                    CertificateChainPolicy = _authority.Trust(),
                }
            );
            await tls.WriteAsync("GARBAGE\r\n\r\n"u8.ToArray());
            var answer = await new StreamReader(tls).ReadToEndAsync();
            answer.ShouldStartWith("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n");
        }

        using var plain = new TcpClient(address.Host, address.Port);
        await plain.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        var answered = 0;
        var reset = await Record.ExceptionAsync(async () => answered = await plain.GetStream().ReadAsync(new byte[1]));
        (answered, reset is null or IOException).ShouldBe((0, true));
    }

    [Theory]
    [InlineData("none.pem", "cannot be read")]
    [InlineData("empty.pem", "holds no certificate")]
    public void An_authority_that_cannot_be_read_stops_the_start(string file, string reason)
    {
        File.WriteAllText(_folder.At("empty.pem"), "");
        string[] args =
        [
            $"--FileTransfer:DataDirectory={_folder.At("data")}",
            $"--FileTransfer:ClientAuthority={_folder.At(file)}",
        ];
        var fault = Should.Throw<FatalStartException>(() => FileTransferServer.Build(args, _folder.Path));
        fault.Message.ShouldContain(_folder.At(file));
        fault.Message.ShouldContain(reason);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _otherAuthority.Dispose();
        _folder.Dispose();
    }

    private async Task<RunningServer> StartAsync(params string[] settings)
    {
        File.WriteAllText(_folder.At("authority.pem"), _authority.Pem);
        _authority.Write(_folder.At("own.pem"), "node-a");
        return await RunningServer.StartAsync(
            "{}",
            app =>
            {
                app.MapGet("/admin", () => "text").RequireAuthorization(AccessScopes.Admin);
                app.MapGet("/reader", (HttpContext context) => NodeHeader.ReaderOf(context))
                    .RequireAuthorization(AccessScopes.Node);
                app.MapGet(
                        "/stream",
                        async (HttpContext context) =>
                        {
                            await context.Response.Body.FlushAsync();
                            await Task.Delay(Timeout.Infinite, context.RequestAborted);
                        }
                    )
                    .RequireAuthorization(AccessScopes.Node);
                app.MapGet("/serial", (HttpContext context) => context.Connection.ClientCertificate!.SerialNumber);
            },
            [
                $"--FileTransfer:ClientAuthority={_folder.At("authority.pem")}",
                "--Kestrel:Endpoints:Nodes:Url=https://127.0.0.1:0",
                "--Kestrel:Endpoints:Nodes:ClientCertificateMode=RequireCertificate",
                $"--Kestrel:Endpoints:Nodes:Certificate:Path={_folder.At("own.pem")}",
                $"--Kestrel:Endpoints:Nodes:Certificate:KeyPath={_folder.At("own.pem")}",
                "--Kestrel:Endpoints:Plain:Url=http://127.0.0.1:0",
                .. settings,
            ]
        );
    }

    /// <summary>A node that shows a certificate, and believes the authority.</summary>
    private Task<RunningServer> StartNodeAsync(string id) =>
        RunningServer.StartAsync(
            null,
            null,
            $"--FileTransfer:NodeId={id}",
            $"--FileTransfer:ClientCertificate:Path={_folder.At($"{id}.pem")}",
            $"--FileTransfer:TrustedAuthority={_folder.At("authority.pem")}"
        );

    private static Uri SecureAddressOf(RunningServer server) =>
        new(server.App.Urls.Single(url => url.StartsWith("https:", StringComparison.Ordinal)));

    private static async Task<(HttpStatusCode Status, string Body)> AskAsync(RunningServer node, Uri url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.ConnectionClose = true;
        var peers = node.App.Services.GetRequiredService<PeerClient>();
        using var answer = await peers.SendAsync(request, CancellationToken.None);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private HttpClient Client(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = _authority.Trust();
        handler.SslOptions.ClientCertificates = certificate is null ? [] : [certificate];
        return new HttpClient(handler);
    }
}
