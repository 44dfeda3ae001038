using System.Net;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Serving;

/// <summary>Under which name and date a content is saved, by whom.</summary>
[Collection(SharedNodes.Name)]
public sealed class ContentNameTests(RunningCluster nodes, ITestOutputHelper output)
{
    [Theory]
    [InlineData("photos/2024/cat.jpg", "attachment; filename=\"cat.jpg\"; filename*=UTF-8''cat.jpg")]
    [InlineData("cat.jpg", "attachment; filename=\"cat.jpg\"; filename*=UTF-8''cat.jpg")]
    [InlineData("a/na\u00efve \u20ac.txt", "attachment; filename=\"na_ve _.txt\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt")]
    [InlineData(
        "a/say \"hi\"; x=100%.txt",
        "attachment; filename=\"say _hi_; x=100_.txt\"; filename*=UTF-8''say%20%22hi%22%3B%20x%3D100%25.txt"
    )]
    [InlineData("a/..", "attachment; filename=\"_.\"; filename*=UTF-8''_.")]
    [InlineData("a/.bashrc", "attachment; filename=\"_bashrc\"; filename*=UTF-8''_bashrc")]
    [InlineData("a/..\\..\\evil", "attachment; filename=\"_._.._evil\"; filename*=UTF-8''_._.._evil")]
    [InlineData(
        "a/line\r\nSet-Cookie: x",
        "attachment; filename=\"line__Set-Cookie: x\"; filename*=UTF-8''line__Set-Cookie%3A%20x"
    )]
    [InlineData("a/gpj.\u202eexe", "attachment; filename=\"gpj._exe\"; filename*=UTF-8''gpj._exe")]
    [InlineData("folder/", null)]
    public async Task The_name_is_the_last_part_of_the_location_made_safe(string location, string? disposition)
    {
        var file = await StoredAsync(Encoding.UTF8.GetBytes(location));
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Head])
        {
            using var response = await nodes.Leader.SendAsync(method, $"/v1/files/{file.Key}/content");
            Disposition(response).ShouldBe(disposition);
        }
    }

    [Fact]
    public async Task A_location_that_is_not_UTF_8_still_gives_a_name()
    {
        var file = await StoredAsync([.. "a/caf"u8, 0xe9, .. ".txt"u8]);
        using var response = await nodes.Leader.Http.GetAsync($"/v1/files/{file.Key}/content");
        Disposition(response).ShouldBe("attachment; filename=\"caf_.txt\"; filename*=UTF-8''caf_.txt");
    }

    [Fact]
    public async Task A_content_has_a_date_that_conditions_can_be_set_on()
    {
        var file = await StoredAsync([.. Encoding.UTF8.GetBytes($"dates/{Guid.NewGuid()}")]);
        var path = $"/v1/files/{file.Key}/content";
        using var first = await nodes.Leader.Http.GetAsync(path);
        var modified = first.Content.Headers.LastModified!.Value;
        modified.ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(-2), DateTimeOffset.UtcNow);
        var (then, before) = (modified.ToString("R"), modified.AddSeconds(-1).ToString("R"));

        (await StatusAsync(("If-Modified-Since", then))).ShouldBe(304);
        (await StatusAsync(("If-Modified-Since", before))).ShouldBe(200);
        (await StatusAsync(("If-Modified-Since", "yesterday"))).ShouldBe(200);
        (await StatusAsync(("If-Modified-Since", then), ("If-None-Match", "\"x\""))).ShouldBe(200, "the tag decides");
        (await StatusAsync(("If-Unmodified-Since", then))).ShouldBe(200);
        (await StatusAsync(("If-Unmodified-Since", before))).ShouldBe(412);
        (await StatusAsync(("If-Unmodified-Since", before), ("If-Match", "*"))).ShouldBe(200, "the tag decides");
        (await StatusAsync(("If-Range", then), ("Range", "bytes=0-0"))).ShouldBe(206);
        (await StatusAsync(("If-Range", before), ("Range", "bytes=0-0"))).ShouldBe(200);

        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        using var elsewhere = await nodes.Follower.Http.GetAsync(path);
        elsewhere.Content.Headers.LastModified.ShouldBe(modified, "the same at every node");

        async Task<int> StatusAsync(params (string, string)[] headers)
        {
            using var response = await nodes.Leader.SendAsync(HttpMethod.Get, path, headers);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task Curl_and_wget_save_a_content_under_its_name()
    {
        if (!RealClient.AreThere(output, "curl", "wget"))
        {
            return;
        }

        var file = await StoredAsync("holidays/beach.jpg"u8.ToArray());
        var url = $"{nodes.Leader.Url}v1/files/{file.Key}/content";
        var folder = Directory.CreateTempSubdirectory("filetransfer-clients-").FullName;
        try
        {
            (await RealClient.RunAsync(folder, $"curl -sS -OJ '{url}'")).ShouldBe((0, ""));
            (await File.ReadAllBytesAsync(Path.Combine(folder, "beach.jpg"))).ShouldBe(file.Content);
            File.Delete(Path.Combine(folder, "beach.jpg"));
            (await RealClient.RunAsync(folder, $"wget -q --content-disposition '{url}'")).ShouldBe((0, ""));
            (await File.ReadAllBytesAsync(Path.Combine(folder, "beach.jpg"))).ShouldBe(file.Content);
            var (again, told) = await RealClient.RunAsync(folder, $"wget -nv -N '{url}' && wget -S -N '{url}'");
            again.ShouldBe(0, told);
            told.ShouldContain("304 Not Modified", Case.Sensitive, "wget asks whether it is newer");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Curl_puts_a_file_and_is_told_when_it_sends_a_form_instead()
    {
        if (!RealClient.AreThere(output, "curl"))
        {
            return;
        }

        var folder = Directory.CreateTempSubdirectory("filetransfer-clients-").FullName;
        try
        {
            var content = PlainFile.RandomBytes(3_000_000);
            await File.WriteAllBytesAsync(Path.Combine(folder, "photo.jpg"), content);
            var url = $"{nodes.Leader.Url}v1/files?owner=0x11&bucket=0x22&location={Guid.NewGuid()}";

            var (_, form) = await RealClient.RunAsync(folder, $"curl -sS -w '%{{http_code}}' -F file=@photo.jpg '{url}'");
            form.ShouldEndWith("415");
            form.ShouldContain("--data-binary");
            var (_, put) = await RealClient.RunAsync(folder, $"curl -sS -w '%{{http_code}}' --data-binary @photo.jpg '{url}'");
            put.ShouldEndWith("201");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string? Disposition(HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return response.Content.Headers.TryGetValues("Content-Disposition", out var values)
            ? values.ShouldHaveSingleItem()
            : null;
    }

    private async Task<PlainFile> StoredAsync(byte[] location)
    {
        var file = new PlainFile(PlainFile.RandomBytes(2000), location);
        var metadata = file.Metadata();
        metadata.Remove("location");
        metadata["locationHex"] = PlainFile.Hex(location);
        using (var registered = await nodes.Leader.RegisterAsync(file.Key, metadata))
        {
            registered.StatusCode.ShouldBe(HttpStatusCode.Created, await registered.Content.ReadAsStringAsync());
        }

        using var response = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        await response.ShouldBeEmptyOkAsync();
        return file;
    }
}
