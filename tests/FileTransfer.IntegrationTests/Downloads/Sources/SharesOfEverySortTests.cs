using System.IO.Compression;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Wants.Loads;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>Shares are used as the web servers of this world are: by what came, not by what was promised.</summary>
public sealed class SharesOfEverySortTests : IAsyncLifetime
{
    private const int Large = 5_000_000;
    private const int Small = 50_000;

    /// <summary>Made beforehand: a server that thinks long before it answers is another sort.</summary>
    private readonly Dictionary<string, byte[]> _packed = [];

    private readonly Dictionary<string, (FakeShare Share, TestFile[] Files)> _shares = [];
    private readonly List<(string, string)> _settings = [];
    private TestCluster _cluster = null!;

    [Thorough]
    [Fact]
    public async Task Files_come_whole_from_shares_of_every_sort_and_each_content_once_where_there_are_no_ranges()
    {
        await AddAsync("without-ranges", share => share.HasRanges = false);
        await AddAsync("wrong-range", share => share.Misbehaves = SendOtherRangeAsync);
        await AddAsync("compresses", share => share.Misbehaves = CompressAsync);
        await AddAsync("chunked", share => share.Misbehaves = SendWithoutLengthAsync);
        await AddAsync("resets", share => share.Misbehaves = ResetAfter300KBAsync);
        await AddAsync("no-hashes", share => share.Misbehaves = LackHashes);
        await AddAsync("moved", share => share.Misbehaves = RedirectOnce);
        await AddAsync("moved-away", share => share.Misbehaves = RedirectToLocalhost, ("FollowRedirectsTo__0", "localhost"));
        await AddAsync("signed", share => share.Misbehaves = RequireCredentials, ("Authorization", "Bearer s3cr3t"));
        var stray = await AddAsync("strays", share => share.Misbehaves = RedirectToLocalhost);
        var node = await _cluster.StartLeaderAsync(
            "a",
            [.. _settings, ("Serilog__MinimumLevel__Override__FileTransfer.Downloads", "Debug")]
        );
        var wanted = _shares.Where(one => one.Key != "strays").SelectMany(one => one.Value.Files).ToList();

        var begun = await node.LoadAsync("all", LoadNode.Order(wanted, 300));
        await node.LoadAsync("stray", LoadNode.Order(stray.Files, 300, rounds: 1));

        $"{begun.Status}".ShouldBe("Created");
        var load = await node.EndOfLoadAsync("all", TimeSpan.FromSeconds(120));
        load.Text("state").ShouldBe("stored", $"{load}");
        foreach (var file in wanted)
        {
            (await node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content"))
                .AsSpan()
                .SequenceEqual(file.Content)
                .ShouldBeTrue();
        }

        ContentsAskedOf("without-ranges").ShouldBe([1, 1], node.Log);
        ContentsAskedOf("compresses").ShouldBe([1, 1], node.Log);
        _shares["signed"].Share.Requests.ShouldAllBe(request => request.Path.EndsWith("?sig=abc", StringComparison.Ordinal));
        node.Log.ShouldNotContain("s3cr3t");
        node.Log.ShouldNotContain("sig=abc");
        var lost = await node.EndOfLoadAsync("stray");
        lost.Text("state").ShouldBe("failed");
        lost.GetProperty("missing")[0]
            .GetProperty("answers")
            .EnumerateArray()
            .Select(answer => answer.Text("said"))
            .ShouldContain(said => said.Contains("which its FollowRedirectsTo does not name", StringComparison.Ordinal));

        IEnumerable<int> ContentsAskedOf(string name) =>
            _shares[name]
                .Files.Select(file =>
                    _shares[name]
                        .Share.Requests.Count(request =>
                            request.Range is null && request.Path.EndsWith(file.Key.ToHex(), StringComparison.Ordinal)
                        )
                );
    }

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        foreach (var (share, _) in _shares.Values)
        {
            await share.DisposeAsync();
        }
    }

    private async Task<(FakeShare Share, TestFile[] Files)> AddAsync(
        string name,
        Action<FakeShare> spoil,
        params (string Name, string Value)[] settings
    )
    {
        var share = await FakeShare.StartAsync();
        var files = share.Add(TestFile.Of(Large), TestFile.Of(Small));
        foreach (var file in files)
        {
            _packed[file.Key.ToHex()] = Pack(file.Content);
            _packed[$"{file.Key.ToHex()}.hashes"] = Pack(file.Hashes);
        }

        spoil(share);
        var entry = $"FileTransfer__Sources__{_shares.Count}__";
        _settings.Add((entry + "Name", name));
        _settings.Add((entry + "Url", share.Url + (name == "signed" ? "?sig=abc" : "")));
        _settings.AddRange(settings.Select(setting => (entry + setting.Name, setting.Value)));
        return _shares[name] = (share, files);
    }

    private static async Task<bool> SendOtherRangeAsync(HttpContext context, TestFile file, string part)
    {
        if (part != "" || context.Request.Headers.Range.Count == 0)
        {
            return false;
        }

        // The first bytes, whatever was asked for.
        context.Response.StatusCode = StatusCodes.Status206PartialContent;
        context.Response.Headers.ContentRange = $"bytes 0-999/{file.Content.Length}";
        await context.Response.Body.WriteAsync(file.Content.AsMemory(0, 1000));
        return true;
    }

    private async Task<bool> CompressAsync(HttpContext context, TestFile file, string part)
    {
        if (part == ".json")
        {
            return false;
        }

        context.Response.Headers.ContentEncoding = "gzip";
        await FakeShare.SendAsync(context, _packed[file.Key.ToHex() + part], false);
        return true;
    }

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    private static async Task<bool> SendWithoutLengthAsync(HttpContext context, TestFile file, string part)
    {
        if (part != "" || context.Request.Headers.Range.Count > 0)
        {
            return false;
        }

        await context.Response.Body.WriteAsync(file.Content);
        return true;
    }

    private static async Task<bool> ResetAfter300KBAsync(HttpContext context, TestFile file, string part)
    {
        var range = context.Request.GetTypedHeaders().Range?.Ranges.Single();
        if (part != "" || range is not { From: { } from, To: { } to } || to - from < 300_000)
        {
            return false;
        }

        context.Response.StatusCode = StatusCodes.Status206PartialContent;
        context.Response.Headers.ContentRange = $"bytes {from}-{to}/{file.Content.Length}";
        context.Response.ContentLength = to - from + 1;
        await context.Response.Body.WriteAsync(file.Content.AsMemory((int)from, 300_000));
        await context.Response.Body.FlushAsync();
        context.Abort();
        return true;
    }

    private static Task<bool> LackHashes(HttpContext context, TestFile file, string part)
    {
        context.Response.StatusCode = part == ".hashes" ? StatusCodes.Status404NotFound : StatusCodes.Status200OK;
        return Task.FromResult(part == ".hashes");
    }

    private static Task<bool> RedirectOnce(HttpContext context, TestFile file, string part)
    {
        var isThere = context.Request.Path.StartsWithSegments("/share/there", StringComparison.Ordinal);
        if (!isThere)
        {
            context.Response.Redirect($"/share/there/{file.Key.ToHex()}{part}");
        }

        return Task.FromResult(!isThere);
    }

    private static Task<bool> RedirectToLocalhost(HttpContext context, TestFile file, string part)
    {
        var isThere = context.Request.Host.Host == "localhost";
        if (!isThere)
        {
            context.Response.Redirect($"http://localhost:{context.Request.Host.Port}{context.Request.Path}");
        }

        return Task.FromResult(!isThere);
    }

    private static Task<bool> RequireCredentials(HttpContext context, TestFile file, string part)
    {
        var isKnown = context.Request.Headers.Authorization == "Bearer s3cr3t";
        context.Response.StatusCode = isKnown ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized;
        return Task.FromResult(!isKnown);
    }
}
