using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Hosting.Access;

public sealed class HostCertificateTests : IDisposable
{
    private const string Endpoint = "--Kestrel:Endpoints:Nodes";

    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new("Nodes");

    [Fact]
    public async Task Each_host_of_an_endpoint_has_its_certificate_and_a_renewed_one_while_the_node_runs()
    {
        string[] names = ["default", "one", "below", "others"];
        var serials = names.ToDictionary(name => name, Write);
        await using var server = await RunningServer.StartAsync(
            null,
            null,
            [
                .. Files("--Kestrel:Certificates:Default", "default"),
                $"{Endpoint}:Url=https://127.0.0.1:0",
                .. Files($"{Endpoint}:Sni:one.example:Certificate", "one"),
                .. Files($"{Endpoint}:Sni:*.example:Certificate", "below"),
                .. Files($"{Endpoint}:Sni:*:Certificate", "others"),
                $"{Endpoint}:Sni:none.example:Protocols=Http1",
            ]
        );
        var address = new Uri(server.App.Urls.Single());
        (string Asked, string Shown)[] hosts =
        [
            ("one.example", "one"),
            ("two.example", "below"),
            ("elsewhere", "others"),
            ("none.example", "default"),
        ];

        await AreShownAsync();
        foreach (var name in names)
        {
            serials[name] = Write(name);
        }

        await Eventually.HoldsAsync(
            async () => await SerialOfAsync(address, "none.example") == serials["default"],
            "it is read again"
        );
        await AreShownAsync();

        async Task AreShownAsync()
        {
            foreach (var (asked, shown) in hosts)
            {
                (await SerialOfAsync(address, asked)).ShouldBe(serials[shown], asked);
            }
        }
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    private string[] Files(string section, string name) =>
        [$"{section}:Path={_folder.At($"{name}.pem")}", $"{section}:KeyPath={_folder.At($"{name}.pem")}"];

    private string Write(string name) => _authority.Write(_folder.At($"{name}.pem"), name);

    private static async Task<string> SerialOfAsync(Uri address, string host)
    {
        using var connection = new TcpClient(address.Host, address.Port);
        var shown = "";
        await using var tls = new SslStream(
            connection.GetStream(),
            leaveInnerStreamOpen: false,
            (_, certificate, _, _) => (shown = ((X509Certificate2)certificate!).SerialNumber).Length > 0
        );
        await tls.AuthenticateAsClientAsync(host);
        return shown;
    }
}
