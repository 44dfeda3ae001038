using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using FileTransfer.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FileTransfer.Tests.Cli;

/// <summary>A node on a real socket that keeps files in memory, answers as the routes promise, and misbehaves where a test asks for it.</summary>
internal sealed partial class FakeNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private readonly TaskCompletionSource _stoodStill = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private FakeNode(WebApplication app)
    {
        _app = app;
    }

    public sealed record FakeFile(FileMetadata Metadata)
    {
        public FileKey Key { get; } = Metadata.ComputeKey();
        public byte[]? Content { get; set; }
        public string FileState { get; set; } = "registered";
        public string State { get; set; } = "wanted";
        public JsonArray Replicas { get; set; } = [];
        public string[] NotWantedAt { get; set; } = [];
    }

    public ConcurrentDictionary<FileKey, FakeFile> Files { get; } = new();

    /// <summary>Method and path of every request, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>The Range header of every download, empty where there was none.</summary>
    public ConcurrentQueue<string> Ranges { get; } = new();

    public Uri Url { get; private set; } = null!;

    public string Address => Url.AbsoluteUri.TrimEnd('/');

    /// <summary>Bytes of upload bodies that arrived.</summary>
    public long BytesReceived;

    /// <summary>Set: this node is a follower of the one there.</summary>
    public string? Leader { get; set; }

    /// <summary>How many requests are still answered with 503.</summary>
    public int Busy;

    /// <summary>After how many bytes the next bodies lose their connection; each cut is used once.</summary>
    public ConcurrentQueue<int> Cuts { get; } = new();

    public bool Corrupts { get; set; }

    /// <summary>Serves contents, and answers nothing else about them.</summary>
    public bool HasNoDatabase { get; set; }

    /// <summary>Keeps the chunks of uploads that were cut off, by key.</summary>
    public ConcurrentDictionary<string, SortedDictionary<long, byte[]>> Kept { get; } = new();

    /// <summary>Sends the first bytes of a download and then nothing.</summary>
    public bool StandsStill { get; set; }

    /// <summary>Ends when the first download stands still.</summary>
    public Task StoodStill => _stoodStill.Task;

    public bool IgnoresRanges { get; set; }

    /// <summary>As a node of an earlier version does.</summary>
    public bool KnowsNoBatches { get; set; }

    /// <summary>What becomes of a file of a batch, instead of being stored: a status and the problem, or status 0 where the answer just ends.</summary>
    public Func<string, (int Status, JsonObject? Problem)?>? InBatch { get; set; }

    public string? Token { get; set; }

    public Func<HttpContext, Task<bool>>? Before { get; set; }

    public JsonObject Cluster { get; set; } = [];

    public JsonObject? LeaderAnswer { get; set; }

    public (int Status, JsonObject Body) Live { get; set; } = (200, new JsonObject { ["status"] = "healthy" });

    public (int Status, JsonObject Body) Ready { get; set; } = (200, new JsonObject { ["status"] = "healthy" });

    public static async Task<FakeNode> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var node = new FakeNode(app);
        app.Use(node.GuardAsync);
        app.MapPut("/v1/files/{key}", node.RegisterAsync);
        app.MapGet(
            "/v1/files/{key}",
            (string key) =>
                node.HasNoDatabase ? NoDatabase()
                : node.Find(key) is { } file ? Results.Json(Describe(file))
                : Unknown(key)
        );
        app.MapGet("/v1/files", node.List);
        app.MapDelete("/v1/files/{key}", node.Remove);
        app.MapPost("/upload/{key}", node.UploadAsync);
        app.MapPost("/v1/files/batch", (Delegate)node.TakeBatchAsync);
        app.MapGet("/download/{key}", node.DownloadAsync);
        app.MapMethods("/v1/files/{key}/content", ["HEAD"], node.Head);
        app.MapGet("/v1/files/{key}/hashes", node.Hashes);
        app.MapDelete("/v1/nodes/{name}", node.RemoveNode);
        app.MapGet(
            "/v1/nodes",
            () => Results.Json(node.Leader is null || node.Cluster.Count > 0 ? node.Cluster : ClusterOf(node.Leader))
        );
        app.MapGet(
            "/v1/leader",
            () =>
                node.LeaderAnswer is { } leader
                    ? Results.Json(leader)
                    : Problem(503, "no-leader", "No leader", "There is no leader.")
        );
        app.MapGet("/health/live", () => Results.Json(node.Live.Body, statusCode: node.Live.Status));
        app.MapGet("/health/ready", () => Results.Json(node.Ready.Body, statusCode: node.Ready.Status));
        await app.StartAsync();
        node.Url = new Uri(app.Urls.Single());
        return node;
    }

    /// <summary>Has the file stored, as if someone had put it.</summary>
    public FileKey Add(FileMetadata metadata, byte[] content)
    {
        var key = metadata.ComputeKey();
        Files[key] = new FakeFile(metadata)
        {
            Content = content,
            FileState = "added",
            State = "stored",
        };
        return key;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        Requests.Enqueue($"{context.Request.Method} {context.Request.Path}");
        if (Token is not null && context.Request.Headers.Authorization != $"Bearer {Token}")
        {
            await Problem(401, "unauthenticated", "Unauthenticated", "Send a bearer token that this node knows.")
                .ExecuteAsync(context);
        }
        else if (Interlocked.Decrement(ref Busy) >= 0)
        {
            context.Response.Headers.RetryAfter = "0";
            await Problem(503, "database-unavailable", "Database unavailable", "The database is away.").ExecuteAsync(context);
        }
        else if (Before is null || !await Before(context))
        {
            await next(context);
        }
    }

    private async Task<IResult> RegisterAsync(string key, HttpContext context)
    {
        var body = (await JsonNode.ParseAsync(context.Request.Body))!;
        ByteString.TryParseHex((string)body["owner"]!, out var owner).ShouldBeTrue();
        ByteString.TryParseHex((string)body["bucket"]!, out var bucket).ShouldBeTrue();
        var location =
            body["location"] is { } text ? ByteString.FromUtf8((string)text!)
            : ByteString.TryParseHex((string?)body["locationHex"], out var octets) ? octets
            : default;
        Fingerprint.TryParse((string)body["fingerprint"]!, out var fingerprint).ShouldBeTrue();
        var metadata = new FileMetadata(owner, bucket, location, (ulong)body["size"]!, fingerprint);
        if (metadata.ComputeKey().ToString() != key)
        {
            return Problem(422, "key-mismatch", "Key mismatch", $"{key} is not the hash of the metadata.");
        }

        var isNew = Files.TryAdd(metadata.ComputeKey(), new FakeFile(metadata));
        return Results.Json(Describe(Files[metadata.ComputeKey()]), statusCode: isNew ? 201 : 200);
    }

    /// <summary>Two files a page, so that few make several.</summary>
    private IResult List(string? state, string? bucket, string? location, string? after)
    {
        var found = Files
            .Where(file => state is null || file.Value.State == state)
            .Where(file => bucket is null || file.Value.Metadata.Bucket.ToString() == bucket)
            .Where(file => file.Value.Metadata.Location.AsUtf8()!.StartsWith(location ?? "", StringComparison.Ordinal))
            .Where(file => after is null || string.CompareOrdinal(file.Key.ToString(), after) > 0)
            .OrderBy(file => file.Key.ToString(), StringComparer.Ordinal)
            .Take(3)
            .ToList();
        return Results.Json(
            new JsonObject
            {
                ["files"] = new JsonArray([.. found.Take(2).Select(file => Describe(file.Value))]),
                ["next"] = found.Count > 2 ? found[1].Key.ToString() : null,
            }
        );
    }

    private IResult Remove(string key)
    {
        if (NotLeader() is { } elsewhere)
        {
            return elsewhere;
        }

        if (Find(key) is not { } file)
        {
            return Unknown(key);
        }

        (file.FileState, file.State) = ("removed", "absent");
        return Results.NoContent();
    }

    private IResult RemoveNode(string name)
    {
        var nodes = Cluster["nodes"]!.AsArray();
        if (nodes.FirstOrDefault(node => (string)node!["node"]! == name) is not { } found)
        {
            return Problem(404, "node-unknown", "The node is unknown", $"No node is called '{name}'.");
        }

        if ((bool)found["alive"]!)
        {
            return Problem(409, "node-alive", "The node is alive", $"Node '{name}' is alive.");
        }

        nodes.Remove(found);
        return Results.Json(
            new JsonObject
            {
                ["node"] = name,
                ["replicas"] = 7,
                ["onlyCopies"] = 2,
            }
        );
    }

    private static IResult NoDatabase() => Problem(503, "database-unavailable", "The database is away", "The database is away.");

    private FakeFile? Find(string key) =>
        FileKey.TryParse(key, out var parsed) && Files.TryGetValue(parsed, out var file) ? file : null;

    private IResult? NotLeader() =>
        Leader is null ? null : Problem(421, "not-leader", "Not the leader", "This node is a follower.", ("leaderUrl", Leader));

    /// <summary>What a node says that knows one node.</summary>
    public static JsonObject ClusterOf(string url) =>
        new() { ["nodes"] = new JsonArray(new JsonObject { ["node"] = "leader", ["url"] = url }) };

    private static JsonObject Describe(FakeFile file) =>
        new()
        {
            ["key"] = file.Key.ToString(),
            ["owner"] = file.Metadata.Owner.ToString(),
            ["bucket"] = file.Metadata.Bucket.ToString(),
            [file.Metadata.Location.AsUtf8() is null ? "locationHex" : "location"] =
                file.Metadata.Location.AsUtf8() ?? file.Metadata.Location.ToString(),
            ["size"] = file.Metadata.Size,
            ["fingerprint"] = file.Metadata.Fingerprint.ToString(),
            ["fileState"] = file.FileState,
            ["registeredAt"] = "2030-01-01T00:00:00Z",
            ["removedAt"] = null,
            ["state"] = file.State,
            ["replicas"] = file.Replicas.DeepClone(),
            ["notWantedAt"] = new JsonArray([.. file.NotWantedAt.Select(node => JsonValue.Create(node))]),
        };

    private static IResult Unknown(string key) => Problem(404, "file-unknown", "File unknown", $"No file has the key {key}.");

    private static IResult Problem(
        int status,
        string slug,
        string title,
        string detail,
        params (string Key, object? Value)[] extensions
    ) =>
        Results.Problem(
            detail,
            statusCode: status,
            title: title,
            type: $"urn:filetransfer:problem:{slug}",
            extensions: extensions.ToDictionary(pair => pair.Key, pair => pair.Value)
        );
}
