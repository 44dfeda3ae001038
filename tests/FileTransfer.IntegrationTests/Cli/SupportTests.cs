using System.Formats.Tar;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Npgsql;

namespace FileTransfer.IntegrationTests.Cli;

/// <summary><c>filetransfer support</c>: what somebody who was not there needs to see, and nothing that he must not.</summary>
public sealed class SupportTests
{
    private static readonly string[] _secrets =
    [
        "token-of-the-caller",
        "token-between-nodes",
        "password-of-the-database",
        "secret-of-a-webhook",
        "password-of-a-share",
    ];

    [Thorough]
    [Fact]
    public async Task A_bundle_has_what_a_report_needs_and_none_of_the_secrets()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var log = Path.Combine(cluster.Folder, "log-.txt");
        cluster.ConnectionString = new NpgsqlConnectionStringBuilder(cluster.ConnectionString)
        {
            Password = _secrets[2],
        }.ConnectionString;
        (string, string)[] settings =
        [
            ("FileTransfer__Tokens__0__Name", "root"),
            ("FileTransfer__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_secrets[0])))),
            ("FileTransfer__Tokens__0__Scopes__0", "admin"),
            ("FileTransfer__NodeToken", _secrets[1]),
            ("FileTransfer__Webhooks__0__Url", "http://127.0.0.1:1/hook"),
            ("FileTransfer__Webhooks__0__Secret", _secrets[3]),
            ("FileTransfer__Sources__0__Name", "share"),
            ("FileTransfer__Sources__0__Url", $"http://somebody:{_secrets[4]}@127.0.0.1:1/share/"),
            ("Serilog__WriteTo__0__Name", "File"),
            ("Serilog__WriteTo__0__Args__path", log),
            ("Serilog__WriteTo__0__Args__rollingInterval", "Day"),
        ];
        var node = await cluster.StartAsync("a", settings);
        node.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _secrets[0]);
        await node.CheckSaysAsync("leader", "healthy");

        // Some way into the log: a path is written there as it was asked for. The last is none of this node's.
        foreach (var leak in _secrets.Append("Password=of-another"))
        {
            (await node.Http.GetAsync($"/planted/{leak}")).Dispose();
        }

        var written = Directory.EnumerateFiles(cluster.Folder, "log-*.txt").ShouldHaveSingleItem();
        await Eventually.HoldsAsync(
            async () => (await File.ReadAllTextAsync(written)).Contains("/planted/Password=of-another", StringComparison.Ordinal),
            "it is in the log"
        );

        var path = Path.Combine(cluster.Folder, "bundle.tar.gz");
        var environment = settings.ToDictionary(one => one.Item1, one => one.Item2);
        environment["FILETRANSFER_URL"] = $"{node.Url}";
        environment["FILETRANSFER_TOKEN"] = _secrets[0];
        environment["FileTransfer__DataDirectory"] = node.DataDirectory;
        environment["ConnectionStrings__Postgres"] = cluster.ConnectionString;
        var run = await ProgramRun.RunAsync(0, ["support", "--output", path, "--json"], environment);

        var parts = await ReadAsync(path);
        run.Lines.Single().GetProperty("parts").EnumerateArray().Select(part => part.GetString()).ShouldBe(parts.Keys);
        parts["versions.txt"].ShouldContain(".NET 10");
        parts["doctor.txt"].ShouldContain("OK    token           'root' has ");
        parts["settings.txt"].ShouldContain("FileTransfer:NodeToken = *** (environment)");
        parts["configuration.json"].ShouldContain("FileTransfer:Webhooks:0:Secret");
        parts["nodes.json"].ShouldContain("\"node\":\"a\"");
        parts["ready.json"].ShouldContain("\"database\"");
        parts["workers.json"].ShouldContain("scrub");
        parts["queue.json"].ShouldContain("parts");
        parts["metrics.txt"].ShouldContain("filetransfer_database_up");
        var logged = parts[$"log/{Path.GetFileName(written)}"];
        logged.ShouldContain("Now listening on");
        logged.Split("GET /planted/*** 404").Length.ShouldBe(_secrets.Length + 1);
        logged.ShouldContain("GET /planted/Password=*** 404");
        foreach (var (part, text) in parts)
        {
            foreach (var secret in _secrets.Append("of-another"))
            {
                text.ShouldNotContain(secret, Case.Sensitive, part);
            }
        }

        ((int)File.GetUnixFileMode(path)).ShouldBe(0b110_000_000);
        (await ProgramRun.RunAsync(1, ["support", "--output", path], environment)).Error.ShouldContain(path);
    }

    [Fact]
    public async Task A_bundle_is_made_where_no_node_answers()
    {
        using var folder = new Testbed.Disks.TempFolder();
        var path = folder.At("bundle.tar.gz");

        await ProgramRun.RunAsync(
            0,
            ["support", "--output", path, "--url", "http://127.0.0.1:1"],
            new Dictionary<string, string> { ["ConnectionStrings__PostgresFile"] = folder.At("no such file") }
        );

        var parts = await ReadAsync(path);
        parts["nodes.json"].ShouldContain("not to be had: http://127.0.0.1:1 cannot be reached");
        parts["doctor.txt"].ShouldContain("FAIL  node");
    }

    private static async Task<Dictionary<string, string>> ReadAsync(string path)
    {
        await using var file = File.OpenRead(path);
        await using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        await using var archive = new TarReader(unpacked);
        var parts = new Dictionary<string, string>();
        while (await archive.GetNextEntryAsync() is { } entry)
        {
            using var reader = new StreamReader(entry.DataStream!);
            parts[entry.Name["filetransfer-support/".Length..]] = await reader.ReadToEndAsync();
        }

        return parts;
    }
}
