using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FileTransfer.Hosting;
using FileTransfer.Http;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Postgres;
using Microsoft.AspNetCore.Builder;

namespace FileTransfer.IntegrationTests.Hosting.Access;

public sealed class MutualTlsTests : IDisposable
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddDays(-1);
    private static readonly DateTimeOffset To = DateTimeOffset.UtcNow.AddDays(1);

    private readonly TempFolder _folder = new();
    private readonly X509Certificate2 _authority = Authority("Nodes");
    private readonly X509Certificate2 _otherAuthority = Authority("Others");

    [Fact]
    public async Task Only_a_client_of_the_authority_gets_in()
    {
        await using var server = await StartAsync();
        var address = new Uri(server.App.Urls.Single());

        using var known = Client(Signed(_authority, "node-b"));
        (await known.GetAsync(new Uri(address, "/admin"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var unknown = Client(Signed(_otherAuthority, "node-c"));
        await Should.ThrowAsync<HttpRequestException>(() => unknown.GetAsync(new Uri(address, "/admin")));

        using var nobody = Client(null);
        await Should.ThrowAsync<HttpRequestException>(() => nobody.GetAsync(new Uri(address, "/admin")));
    }

    [Fact]
    public async Task Over_TLS_what_is_no_request_is_a_bare_status_and_what_comes_without_TLS_gets_no_answer()
    {
        await using var server = await StartAsync();
        var address = new Uri(server.App.Urls.Single());
        using (var connection = new TcpClient(address.Host, address.Port))
        await using (var tls = new SslStream(connection.GetStream()))
        {
            using var own = Signed(_authority, "node-b");
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = address.Host,
                    ClientCertificates = [own],
                    CertificateChainPolicy = Trust(),
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

    private async Task<RunningServer> StartAsync()
    {
        File.WriteAllText(_folder.At("authority.pem"), _authority.ExportCertificatePem());
        using var own = Signed(_authority, "node-a");
        File.WriteAllText(_folder.At("own.pem"), own.ExportCertificatePem());
        File.WriteAllText(_folder.At("own.key"), own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return await RunningServer.StartAsync(
            null,
            app => app.MapGet("/admin", () => "text").RequireAuthorization(AccessScopes.Admin),
            $"--FileTransfer:ClientAuthority={_folder.At("authority.pem")}",
            "--Kestrel:Endpoints:Nodes:Url=https://127.0.0.1:0",
            "--Kestrel:Endpoints:Nodes:ClientCertificateMode=RequireCertificate",
            $"--Kestrel:Endpoints:Nodes:Certificate:Path={_folder.At("own.pem")}",
            $"--Kestrel:Endpoints:Nodes:Certificate:KeyPath={_folder.At("own.key")}"
        );
    }

    private HttpClient Client(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = Trust();
        handler.SslOptions.ClientCertificates = certificate is null ? [] : [certificate];
        return new HttpClient(handler);
    }

    private X509ChainPolicy Trust()
    {
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.Add(_authority);
        return trust;
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(From, To);
    }

    private static X509Certificate2 Signed(X509Certificate2 authority, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false)
        );
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, From, To, RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
