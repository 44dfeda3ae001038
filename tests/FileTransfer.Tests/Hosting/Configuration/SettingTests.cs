using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FileTransfer.Hosting;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Postgres;
using Microsoft.Extensions.Configuration;

namespace FileTransfer.Tests.Hosting.Configuration;

public sealed class SettingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("filetransfer-settings-").FullName;

    private static readonly string SomeHash = new('a', 64);

    [Theory]
    [InlineData("FileTransfer:NodeId", "has space", "1 to 64 letters, digits, '.', '_' or '-'")]
    [InlineData("FileTransfer:NodeId", "", "1 to 64 letters")]
    [InlineData("FileTransfer:ClusterId", "a/b", "1 to 64 letters")]
    [InlineData("FileTransfer:TrustMode", "Nobody", "write Listed or Strict")]
    [InlineData("FileTransfer:Role", "Boss", "write Auto, Follower or Standalone")]
    [InlineData("FileTransfer:Role", "1", "write Auto, Follower or Standalone")]
    [InlineData("FileTransfer:AdvertisedUrl", "node-a:7070", "write an absolute URL such as http://node-a:7070")]
    [InlineData("FileTransfer:AdvertisedUrl", "/files", "write an absolute URL")]
    [InlineData("FileTransfer:AdvertisedUrl", "ftp://node-a", "write an absolute URL")]
    [InlineData("FileTransfer:Downloads:Lanes", "0", "write a number from 1 to 64")]
    [InlineData("FileTransfer:Downloads:Lanes", "65", "write a number from 1 to 64")]
    [InlineData("FileTransfer:Downloads:Lanes", "four", "write a whole number")]
    [InlineData("FileTransfer:Downloads:Lanes", "", "write a whole number")]
    [InlineData("FileTransfer:Downloads:MaxAttempts", "-1", "from 1 to 1000")]
    [InlineData("FileTransfer:Downloads:BackoffBase", "1 second", "write a time as")]
    [InlineData("FileTransfer:Downloads:BackoffCap", "2.00:00:00", "a time from 00:00:00.0100000 to 1.00:00:00")]
    [InlineData("FileTransfer:Downloads:BackoffCap", "00:00:00.5000000", "at least BackoffBase")]
    [InlineData("FileTransfer:Downloads:PollInterval", "00:00:00", "a time from")]
    [InlineData("FileTransfer:Downloads:WindowBytes", "1024", "from 65536 to 1073741824")]
    [InlineData("FileTransfer:Downloads:StallFloorBytesPerSecond", "-5", "from 0 to")]
    [InlineData("FileTransfer:Downloads:StallPeriod", "00:00:00", "a time from")]
    [InlineData("FileTransfer:ExportFolder", "shares", "write the whole path")]
    [InlineData("FileTransfer:ExportFolder", "/", "neither lies in the other")]
    [InlineData("FileTransfer:AllowAnonymous", "yes", "write true or false")]
    [InlineData("FileTransfer:DrainTimeout", "20", "a time from 00:00:00 to 01:00:00")]
    [InlineData("FileTransfer:LogFormat", "xml", "write Text or Json")]
    public void A_wrong_value_is_refused_with_its_key_and_what_to_write(string key, string value, string hint)
    {
        var message = Refusal($"--{key}={value}");
        message.ShouldContain($"{key} is '{value}'");
        message.ShouldContain(hint);
    }

    [Theory]
    [InlineData("FileTransfer:NodeToken", "two s3cr3t words", "nothing else")]
    [InlineData("FileTransfer:Tokens:0:Sha256", "s3cr3t", "the hash, never the token itself")]
    [InlineData("FileTransfer:AdvertisedUrl", "ftp://user:s3cr3t@node-a", "write an absolute URL")]
    [InlineData("FileTransfer:AdvertisedUrl", "user:s3cr3t@node-a:7070", "write an absolute URL")]
    [InlineData("FileTransfer:AdvertisedUrl", "http://user:s3cr3t@node-a:7070", "write an absolute URL")]
    [InlineData("FileTransfer:Sources:0:Url", "mirror/files/?sig=s3cr3t", "write an absolute URL")]
    public void A_secret_that_is_refused_is_not_shown(string key, string value, string hint)
    {
        var message = Refusal($"--{key}={value}");
        message.ShouldContain($"{key} is '");
        message.ShouldContain(hint);
        message.ShouldNotContain("s3cr3t");
    }

    [Theory]
    [InlineData("http://somebody:s3cr3t@up:7070")]
    [InlineData("http://up:7070/?sig=s3cr3t")]
    [InlineData("http://up:7070 up?sig=s3cr3t")]
    public void An_upstream_whose_address_nobody_may_be_shown_is_refused_without_it(string url)
    {
        var message = Refusal(
            "--FileTransfer:Sync:Upstreams:0:Name=up",
            $"--FileTransfer:Sync:Upstreams:0:Url={url}",
            "--FileTransfer:Sync:Upstreams:0:Token=t"
        );
        message.ShouldContain("FileTransfer:Sync:Upstreams:0:Url has '***'");
        message.ShouldContain("FileTransfer:Sync:Upstreams:0:Token");
        message.ShouldNotContain("s3cr3t");
    }

    [Fact]
    public async Task A_secret_can_be_a_file_and_then_nothing_beside_it()
    {
        var path = Path.Combine(_folder, "node-token");
        await File.WriteAllTextAsync(path, "of-a-file\n");
        await using (var app = FileTransferServer.Build(WithData([$"--FileTransfer:NodeTokenFile={path}"]), _folder))
        {
            app.Configuration["FileTransfer:NodeToken"].ShouldBe("of-a-file");
            var shown = EffectiveSettings
                .Of((IConfigurationRoot)app.Configuration)
                .Single(one => one.Key == "FileTransfer:NodeToken");
            (shown.Value, shown.Origin).ShouldBe(("***", $"file {path}"));
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(app.Configuration["FileTransfer:DataDirectory"]!)
                    .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        Refusal($"--FileTransfer:NodeTokenFile={path}", "--FileTransfer:NodeToken=t").ShouldContain("both given");
        Refusal($"--FileTransfer:NodeTokenFile={path}.gone").ShouldContain("cannot be read");
    }

    [Theory]
    [InlineData("Name", "a b", "Tokens:0:Name is 'a b'")]
    [InlineData("Name", "", "Tokens:0:Name is ''")]
    [InlineData("Sha256", "secret", "sha256sum")]
    [InlineData("Scopes:0", "everything", "write read, write, node or admin")]
    public void A_wrong_token_is_refused(string part, string value, string hint)
    {
        var token = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Name"] = "ops",
            ["Sha256"] = SomeHash,
            ["Scopes:0"] = "read",
            [part] = value,
        };
        Refusal([.. token.Select(entry => $"--FileTransfer:Tokens:0:{entry.Key}={entry.Value}")]).ShouldContain(hint);
    }

    [Fact]
    public void A_token_without_hash_or_scope_is_refused()
    {
        Refusal("--FileTransfer:Tokens:0:Name=ops", "--FileTransfer:Tokens:0:Scopes:0=read")
            .ShouldContain("FileTransfer:Tokens:0:Sha256 is missing; write 64 hex digits");
        Refusal("--FileTransfer:Tokens:0:Name=ops", $"--FileTransfer:Tokens:0:Sha256={SomeHash}")
            .ShouldContain("FileTransfer:Tokens:0:Scopes is empty");
    }

    [Fact]
    public void All_faults_are_told_at_once()
    {
        var message = Refusal("--FileTransfer:Role=Boss", "--FileTransfer:Downloads:Lanes=0");
        message.Split(Environment.NewLine).Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("--FileTransfer:Lanes=3", "Unknown option '--FileTransfer:Lanes'")]
    [InlineData("--FileTransfer:Downloads:Lane=3", "did you mean --FileTransfer:Downloads:Lanes?")]
    [InlineData("--FileTransfer:NodeID2=3", "did you mean --FileTransfer:NodeId?")]
    [InlineData("--url=http://127.0.0.1:1", "did you mean --Urls?")]
    [InlineData("serve", "'serve' is not an option")]
    [InlineData("-x", "'-x' is not an option")]
    [InlineData("--FileTransfer:NodeId", "Option '--FileTransfer:NodeId' has no value")]
    public void An_unknown_option_is_refused_by_name(string arg, string message) => Refusal(arg).ShouldContain(message);

    [Fact]
    public async Task A_connection_string_of_another_name_is_refused_where_the_clusters_own_is_missing()
    {
        var settings = Path.Combine(_folder, "appsettings.json");
        await File.WriteAllTextAsync(settings, """{ "ConnectionStrings": { "FileTransfer": "Host=db" } }""");
        Refusal()
            .ShouldContain("ConnectionStrings:FileTransfer is not read; the cluster's database is ConnectionStrings:Postgres");

        await BuildAndDropAsync("--ConnectionStrings:Postgres=Host=db");
    }

    [Fact]
    public void A_token_that_is_put_together_from_two_places_is_refused()
    {
        var token = $$"""{ "Name": "reader", "Sha256": "{{SomeHash}}", "Scopes": ["read"] }""";
        File.WriteAllText(Path.Combine(_folder, "appsettings.json"), $$"""{ "FileTransfer": { "Tokens": [{{token}}] } }""");

        var message = Refusal("--FileTransfer:Tokens:0:Scopes:1=admin");

        message.ShouldContain("FileTransfer:Tokens:0 is put together from file");
        message.ShouldContain("and command line");
    }

    [Fact]
    public void A_misspelt_key_in_a_file_is_refused()
    {
        File.WriteAllText(Path.Combine(_folder, "appsettings.json"), """{ "FileTransfer": { "Downloads": { "Lanez": 3 } } }""");
        Refusal().ShouldContain("FileTransfer:Downloads:Lanez is not a setting; did you mean FileTransfer:Downloads:Lanes?");
    }

    [Fact]
    public void A_file_that_is_not_json_is_refused_by_name()
    {
        var file = Path.Combine(_folder, "appsettings.json");
        File.WriteAllText(file, "{ Urls: 1");
        Refusal().ShouldContain($"{file} is not JSON");
    }

    [Theory]
    [InlineData("7070")]
    [InlineData("127.0.0.1:7070")]
    [InlineData("ftp://127.0.0.1:7070")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("http://127.0.0.1:7070/base")]
    [InlineData(";")]
    public void A_malformed_address_is_refused(string url)
    {
        var message = Refusal($"--urls={url}");
        message.ShouldContain($"Urls is '{url}'");
        message.ShouldContain("http://127.0.0.1:7070");
    }

    [Theory]
    [InlineData("http://0.0.0.0:7070")]
    [InlineData("http://*:7070")]
    [InlineData("http://+:7070")]
    [InlineData("http://[::]:7070")]
    [InlineData("http://node-a:7070")]
    [InlineData("http://192.0.2.1:7070")]
    [InlineData("http://127.0.0.1:7070;http://0.0.0.0:7071")]
    public void An_address_others_can_reach_is_refused_without_tokens(string urls)
    {
        var message = Refusal($"--urls={urls}");
        message.ShouldContain(urls.Split(';')[^1]);
        message.ShouldContain("FileTransfer:Tokens:0:Sha256");
        message.ShouldContain("FileTransfer:AllowAnonymous=true");
    }

    [Fact]
    public async Task Tokens_or_a_required_client_certificate_or_being_told_so_open_an_address_to_others()
    {
        await BuildAndDropAsync(
            "--urls=http://0.0.0.0:7070",
            "--FileTransfer:Tokens:0:Name=ops",
            $"--FileTransfer:Tokens:0:Sha256={SomeHash}",
            "--FileTransfer:Tokens:0:Scopes:0=admin"
        );
        await BuildAndDropAsync("--urls=http://0.0.0.0:7070", "--FileTransfer:AllowAnonymous=true");
        var authority = WriteAuthority();
        await BuildAndDropAsync(
            $"--FileTransfer:ClientAuthority={authority}",
            "--Kestrel:Endpoints:Nodes:Url=https://0.0.0.0:7071",
            $"--Kestrel:Endpoints:Nodes:Certificate:Path={authority}",
            "--Kestrel:Endpoints:Nodes:ClientCertificateMode=RequireCertificate"
        );
    }

    [Theory]
    [InlineData("http://0.0.0.0:7071", "RequireCertificate", "authority.pem")]
    [InlineData("https://0.0.0.0:7071", "AllowCertificate", "authority.pem")]
    [InlineData("https://0.0.0.0:7071", "RequireCertificate", "")]
    public void An_endpoint_that_does_not_prove_its_clients_needs_tokens(string url, string mode, string authority) =>
        Refusal(
                $"--FileTransfer:ClientAuthority={authority}",
                $"--Kestrel:Endpoints:Nodes:Url={url}",
                $"--Kestrel:Endpoints:Nodes:ClientCertificateMode={mode}"
            )
            .ShouldContain($"{url} can be reached");

    [Fact]
    public void Tokens_and_anonymous_access_exclude_each_other() =>
        Refusal(
                "--FileTransfer:AllowAnonymous=true",
                "--FileTransfer:Tokens:0:Name=ops",
                $"--FileTransfer:Tokens:0:Sha256={SomeHash}",
                "--FileTransfer:Tokens:0:Scopes:0=admin"
            )
            .ShouldContain("remove one of the two");

    [Fact]
    public void A_data_folder_that_cannot_be_made_is_refused()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var message = Refusal($"--FileTransfer:DataDirectory={file}/data");
        message.ShouldContain($"FileTransfer:DataDirectory is '{file}/data'");
        message.ShouldContain("write a folder");
    }

    [Fact]
    public void A_wrong_log_level_is_refused() => Refusal("--Serilog:MinimumLevel:Default=Loud").ShouldContain("Loud");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string WriteAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Nodes", key, HashAlgorithmName.SHA256);
        using var authority = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
        var file = Path.Combine(_folder, "authority.pem");
        File.WriteAllText(file, authority.ExportCertificatePem());
        return file;
    }

    private string Refusal(params string[] args) =>
        Should.Throw<FatalStartException>(() => FileTransferServer.Build(WithData(args), _folder)).Message;

    private async Task BuildAndDropAsync(params string[] args) =>
        await FileTransferServer.Build(WithData(args), _folder).DisposeAsync();

    private string[] WithData(string[] args) =>
        args.Any(arg => arg.Contains("DataDirectory", StringComparison.Ordinal))
            ? args
            : [$"--FileTransfer:DataDirectory={Path.Combine(_folder, "data")}", .. args];
}
