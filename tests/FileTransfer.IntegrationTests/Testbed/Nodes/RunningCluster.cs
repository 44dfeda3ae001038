using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FileTransfer.IntegrationTests.Testbed.Disks;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A leader and a follower that all facts about requests share; each fact brings files of its own.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    private TestCluster? _cluster;

    public NodeProcess Leader { get; private set; } = null!;

    public NodeProcess Follower { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        Leader = await _cluster.StartLeaderAsync("a");
        Follower = await _cluster.StartFollowerAsync("b");
    }

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class SharedNodes : ICollectionFixture<RunningCluster>
{
    public const string Name = "shared nodes";
}

/// <summary>The requests that the facts send, and what they expect of every problem.</summary>
internal static class Requests
{
    public static Task<HttpResponseMessage> RegisterAsync(this NodeProcess node, string key, JsonNode body) =>
        node.RegisterAsync(key, body.ToJsonString());

    public static async Task<HttpResponseMessage> RegisterAsync(this NodeProcess node, string key, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await node.Http.PutAsync($"/v1/files/{key}", content);
    }

    public static async Task RegisterAsync(this NodeProcess node, PlainFile file)
    {
        using var response = await node.RegisterAsync(file.Key, file.Metadata());
        response.StatusCode.ShouldBe(HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
    }

    public static async Task<HttpResponseMessage> UploadAsync(this NodeProcess node, string key, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        return await node.Http.PostAsync($"/upload/{key}", content);
    }

    /// <summary>Registers and uploads.</summary>
    public static async Task StoreAsync(this NodeProcess node, PlainFile file)
    {
        await node.RegisterAsync(file);
        using var response = await node.UploadAsync(file.Key, file.Framed);
        response.StatusCode.ShouldNotBe(HttpStatusCode.InternalServerError, node.Log);
        await response.ShouldBeEmptyOkAsync();
    }

    public static async Task<HttpResponseMessage> SendAsync(
        this NodeProcess node,
        HttpMethod method,
        string path,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }

        return await node.Http.SendAsync(request);
    }

    public static async Task ShouldBeEmptyOkAsync(this HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        body.ShouldBeEmpty();
    }

    /// <summary>Every problem has the same shape, a stable type, and a detail that names the value at fault.</summary>
    public static async Task<JsonElement> ShouldBeProblemAsync(
        this HttpResponseMessage response,
        int status,
        string slug,
        params string[] named
    )
    {
        var body = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, body);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json", body);
        using var document = JsonDocument.Parse(body);
        var problem = document.RootElement.Clone();
        problem.GetProperty("type").GetString().ShouldBe($"urn:filetransfer:problem:{slug}", body);
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        problem.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
        var detail = problem.GetProperty("detail").GetString()!;
        detail.ShouldNotBeNullOrEmpty();
        foreach (var value in named)
        {
            detail.ShouldContain(value, Case.Sensitive);
        }

        return problem;
    }

    /// <summary>Neither the file nor anything of it can be read at the node.</summary>
    public static async Task ShouldNotBeVisibleAsync(this PlainFile file, NodeProcess node)
    {
        foreach (var path in (string[])[$"/download/{file.Key}", $"/v1/files/{file.Key}/content", $"/v1/files/{file.Key}/hashes"])
        {
            using var response = await node.Http.GetAsync(path);
            var problem = await response.ShouldBeProblemAsync(409, "file-not-stored", file.Key, "wanted");
            problem.GetProperty("state").GetString().ShouldBe("wanted");
        }

        StoredOnDisk.Holds(node.DataDirectory, file.Fingerprint[2..]).ShouldBeFalse();
    }

    public static async Task ShouldBeStoredAsync(this PlainFile file, NodeProcess node)
    {
        (await node.StateOfAsync(file.Key)).ShouldBe("stored");
        (await node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).AsSpan().SequenceEqual(file.Content).ShouldBeTrue();
    }
}
