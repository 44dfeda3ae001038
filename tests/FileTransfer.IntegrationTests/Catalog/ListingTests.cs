using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Catalog;

[Collection(SharedNodes.Name)]
public sealed class ListingTests(RunningCluster nodes)
{
    /// <summary>No other fact has files in it.</summary>
    private readonly byte[] _bucket = PlainFile.RandomBytes(32);

    [Fact]
    public async Task Pages_hold_every_file_once_in_the_order_of_keys()
    {
        var files = Enumerable.Range(0, 250).Select(_ => PlainFile.Random(1, _bucket)).ToList();
        await Parallel.ForEachAsync(
            files,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (file, _) => await nodes.Leader.RegisterAsync(file)
        );
        var expected = files.Select(file => file.Key).Order(StringComparer.Ordinal).ToList();

        foreach (var limit in (int?[])[null, 1000, 250, 100, 50, 7])
        {
            var pages = await PagesAsync(limit is null ? "" : $"&limit={limit}");

            pages.SelectMany(page => page).ShouldBe(expected);
            pages.Count.ShouldBe((250 + (limit ?? 100) - 1) / (limit ?? 100), "there is no empty page at the end");
        }
    }

    [Thorough]
    [Fact]
    public async Task Pages_of_long_locations_are_cut_at_a_byte_bound_and_hold_every_file_once()
    {
        const int Longest = 2_500_000;
        var files = Enumerable.Range(0, 30).Select(_ => InBin7()).OrderBy(file => file.Key, StringComparer.Ordinal).ToList();
        var began = (await nodes.Leader.GetJsonAsync("/v1/changes?after=now")).GetProperty("position").GetString();
        foreach (var file in files)
        {
            await nodes.Leader.StoreAsync(file);
        }

        var keys = files.Select(file => file.Key).ToList();
        var bucket = PlainFile.Hex(_bucket);
        foreach (var filter in (string[])["", "&state=stored", "&location=x", $"&owner={PlainFile.Hex(files[0].Owner)}"])
        {
            var pages = await PagesAsync($"{filter}&limit=1000");

            pages.SelectMany(page => page).ShouldBe(keys, ignoreOrder: filter.Contains("location", StringComparison.Ordinal));
            pages.Count.ShouldBe(2, filter);
        }

        foreach (var path in (string[])[$"/v1/files?bucket={bucket}&limit=1000", "/v1/sync/bins/7?from=1&limit=1000"])
        {
            (await nodes.Leader.Http.GetByteArrayAsync(path)).Length.ShouldBeInRange(1_000_000, Longest, path);
        }

        var set = new List<string>();
        for (string? after = ""; after is not null; )
        {
            var page = await nodes.Leader.GetJsonAsync($"/v1/sync/bins/7/files?bucket={bucket}&limit=1000{after}");
            page.GetRawText().Length.ShouldBeLessThan(Longest);
            set.AddRange(page.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("key").GetString()!));
            after = page.GetProperty("next").GetString() is { } next ? $"&after={next}" : null;
        }

        set.ShouldBe(keys);
        var changes = new List<string>();
        while (changes.Intersect(keys).Count() < keys.Count)
        {
            var page = await nodes.Leader.GetJsonAsync($"/v1/changes?after={began}");
            page.GetRawText().Length.ShouldBeLessThan(Longest);
            began = page.GetProperty("position").GetString();
            var more = page.GetProperty("changes")
                .EnumerateArray()
                .Select(change => change.GetProperty("key").GetString()!)
                .ToList();
            more.ShouldNotBeEmpty();
            changes.AddRange(more);
        }

        changes.Count(keys.Contains).ShouldBe(keys.Count);
    }

    /// <summary>A small file with a long location, in the bin of the keys that begin with 7.</summary>
    private PlainFile InBin7()
    {
        while (true)
        {
            var location = new string('x', 60_000) + Guid.NewGuid();
            var file = new PlainFile(PlainFile.RandomBytes(10), Encoding.UTF8.GetBytes(location), _bucket);
            if (file.Key.StartsWith("0x7", StringComparison.Ordinal))
            {
                return file;
            }
        }
    }

    [Fact]
    public async Task A_page_goes_on_behind_a_file_that_was_removed_meanwhile()
    {
        var files = Enumerable
            .Range(0, 5)
            .Select(_ => PlainFile.Random(1, _bucket))
            .OrderBy(file => file.Key, StringComparer.Ordinal)
            .ToList();
        foreach (var file in files)
        {
            await nodes.Leader.RegisterAsync(file);
        }

        var page = await ListAsync("&limit=2");
        using (await nodes.Leader.Http.DeleteAsync($"/v1/files/{files[1].Key}")) { }

        var rest = await ListAsync($"&after={page.GetProperty("next").GetString()}");
        KeysOf(rest).ShouldBe(files[2..].Select(file => file.Key));
        KeysOf(await ListAsync("")).ShouldNotContain(files[1].Key);
    }

    [Fact]
    public async Task Filters_narrow_a_listing_each_and_together()
    {
        var owner = PlainFile.RandomBytes(32);
        PlainFile File(string location, byte[]? by = null) =>
            new(PlainFile.RandomBytes(10), Encoding.UTF8.GetBytes(location), _bucket, by);
        PlainFile[] files = [File("a/1"), File("a/2", owner), File("b/1", owner), File("ä/1"), File("100%_/1")];
        foreach (var file in files)
        {
            await nodes.Leader.RegisterAsync(file);
        }

        await (await nodes.Leader.UploadAsync(files[2].Key, files[2].Framed)).ShouldBeEmptyOkAsync();

        async Task Holds(string query, params int[] expected) =>
            KeysOf(await ListAsync(query)).ShouldBe(expected.Select(i => files[i].Key).ToList(), ignoreOrder: true, query);
        await Holds("", 0, 1, 2, 3, 4);
        await Holds($"&owner={PlainFile.Hex(owner)}", 1, 2);
        await Holds($"&owner={Convert.ToHexString(owner)}", 1, 2);
        await Holds("&location=a/", 0, 1);
        await Holds("&location=b/&state=stored", 2);
        await Holds("&location=a/&state=stored");
        await Holds("&location=%C3%A4", 3);
        await Holds("&location=100%25_", 4);
        await Holds("&location=%25");
        await Holds("&state=stored", 2);
        await Holds("&state=wanted", 0, 1, 3, 4);
        await Holds($"&owner={PlainFile.Hex(owner)}&state=wanted", 1);
        await Holds("&owner=0x77");

        var listed = (await ListAsync("&state=stored")).GetProperty("files")[0];
        listed.GetProperty("location").GetString().ShouldBe("b/1");
        listed.GetProperty("state").GetString().ShouldBe("stored");
        listed.GetProperty("fileState").GetString().ShouldBe("added");
        listed.TryGetProperty("replicas", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Pages_of_a_prefix_hold_every_file_of_it_once_in_the_order_of_locations()
    {
        PlainFile File(string location) => new(PlainFile.RandomBytes(10), Encoding.UTF8.GetBytes(location), _bucket);
        var deep = "p/" + new string('d', 200);
        var ends = Enumerable.Range(0, 5).Select(i => File($"{deep}/{i}")).OrderBy(file => file.Key, StringComparer.Ordinal);
        PlainFile[] files = [File("p/a"), File("p/b"), File("p/c"), .. ends, File("p/é"), File("q"), File("o")];
        foreach (var file in files.Reverse())
        {
            await nodes.Leader.RegisterAsync(file);
        }

        foreach (var limit in (int[])[1, 2, 3, 100])
        {
            foreach (var bucket in (string[])["", $"&owner={PlainFile.Hex(files[0].Owner)}"])
            {
                var pages = await PagesAsync($"{bucket}&location=p/&limit={limit}");

                pages.SelectMany(page => page).ShouldBe(files[..9].Select(file => file.Key));
            }
        }

        (await PagesAsync($"&location={deep}/&limit=2")).SelectMany(page => page).ShouldBe(files[3..8].Select(file => file.Key));
        KeysOf(await ListAsync($"&location={deep}/3")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_last_page_says_that_nothing_follows()
    {
        var listing = await ListAsync("");

        listing.GetProperty("files").GetArrayLength().ShouldBe(0);
        listing.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("limit=0", "bad-request", "0")]
    [InlineData("limit=1001", "bad-request", "1001")]
    [InlineData("limit=-1", "bad-request", "-1")]
    [InlineData("limit=many", "bad-request", "'many' is not a value of limit; write a whole number")]
    [InlineData("state=lost", "bad-request", "lost")]
    [InlineData("bucket=xyz", "bad-request", "xyz")]
    [InlineData("bucket=", "bad-request", "bucket")]
    [InlineData("owner=0x123", "bad-request", "0x123")]
    [InlineData("after=0x12", "file-key-malformed", "0x12")]
    [InlineData(
        "after=0x00000000000000000000000000000000000000000000000000000000000000aa",
        "bad-request",
        "0x00000000000000000000000000000000000000000000000000000000000000aa"
    )]
    public async Task A_parameter_that_makes_no_sense_is_named(string query, string slug, string named)
    {
        using var response = await nodes.Leader.Http.GetAsync($"/v1/files?{query}");

        await response.ShouldBeProblemAsync(400, slug, named);
    }

    private async Task<List<List<string>>> PagesAsync(string query)
    {
        var pages = new List<List<string>>();
        for (string? after = ""; after is not null; )
        {
            var page = await ListAsync(query + after);
            pages.Add(KeysOf(page));
            after = page.GetProperty("next").GetString() is { } next ? $"&after={next}" : null;
        }

        return pages;
    }

    private Task<JsonElement> ListAsync(string query) =>
        nodes.Leader.GetJsonAsync($"/v1/files?bucket={PlainFile.Hex(_bucket)}{query}");

    private static List<string> KeysOf(JsonElement page) =>
        [.. page.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("key").GetString()!)];
}
