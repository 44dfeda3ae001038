using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using FileTransfer.Chunks.Frames;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>Sources outside the cluster: a static share with ranges, and a server that has nothing but whole framed bodies.</summary>
public sealed class ConfiguredSourcesTests
{
    private const int ManyWindows = 3_000_000;

    [Thorough]
    [Theory]
    [InlineData("Share", ManyWindows)]
    [InlineData("Share", 10)]
    [InlineData("Stream", ManyWindows)]
    [InlineData("Stream", 60_000)]
    public async Task A_file_that_no_node_has_comes_from_a_configured_source_that_is_shown_no_token(string kind, int size)
    {
        var file = TestFile.Of(size);
        await using var server = await StartServerAsync(file, kind == "Share");
        await using var cluster = await TestCluster.CreateAsync();
        var follower = await cluster.StartFollowerAsync(
            "b",
            [
                .. SourceCluster.Impatient,
                ("FileTransfer__NodeToken", "secret"),
                ("FileTransfer__Sources__0__Name", "mirror"),
                ("FileTransfer__Sources__0__Url", $"{server.Urls.First()}/below"),
                ("FileTransfer__Sources__0__Kind", kind),
            ]
        );
        await file.WantAtAsync(follower);

        await TestCluster.StoredAsync(follower, file.Key.ToString());

        (await follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).ShouldBe(file.Content);
    }

    [Fact]
    public async Task A_share_is_told_nothing_of_who_wants_a_file_nor_of_what_he_has_put_beside_it()
    {
        var told = new ConcurrentQueue<string>();
        await using var server = await StartServerAsync(context =>
        {
            context.Request.Headers.Keys.ToList().ForEach(told.Enqueue);
            context.Response.StatusCode = (int)HttpStatusCode.NotFound;
            return Task.CompletedTask;
        });
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__Sources__0__Name", "mirror"),
            ("FileTransfer__Sources__0__Url", $"{server.Urls.First()}/below/")
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/files/{TestFile.Of(10).Key}/fetch")
        {
            Headers =
            {
                { "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
                { "tracestate", "of=somebody" },
                { "baggage", "customer=somebody" },
                { "X-Request-Id", "of-somebody" },
            },
        };

        using var answer = await node.Http.SendAsync(request);

        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        told.ShouldNotBeEmpty();
        told.Distinct().Except(["Host", "Range"]).ShouldBeEmpty();
    }

    [Thorough]
    [Fact]
    public async Task A_file_that_a_share_has_not_got_says_so_and_waits()
    {
        var file = TestFile.Of(100_000);
        await using var server = await StartServerAsync(TestFile.Of(10), isShare: true);
        await using var cluster = await TestCluster.CreateAsync();
        var follower = await cluster.StartFollowerAsync(
            "b",
            [
                .. SourceCluster.Impatient,
                ("FileTransfer__Sources__0__Name", "mirror"),
                ("FileTransfer__Sources__0__Url", $"{server.Urls.First()}/below/"),
            ]
        );
        await file.WantAtAsync(follower);

        await Eventually.HoldsAsync(
            async () =>
                (await follower.GetJsonAsync($"/v1/files/{file.Key}"))
                    .GetProperty("replicas")[0]
                    .GetProperty("reason")
                    .GetString() == $"share 'mirror' at {server.Urls.First()}/below/ does not have the file",
            "it says which source has not got it"
        );
    }

    [Thorough]
    [Theory]
    [InlineData("Standalone")]
    [InlineData("Auto")]
    public async Task A_node_that_leads_brings_a_registered_file_from_its_share_and_adds_it(string role)
    {
        var file = TestFile.Of(100_000);
        await using var server = await StartServerAsync(file, isShare: true);
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__Role", role),
            ("FileTransfer__Sources__0__Name", "mirror"),
            ("FileTransfer__Sources__0__Url", $"{server.Urls.First()}/below/")
        );
        await file.WantAtAsync(node);

        await TestCluster.StoredAsync(node, file.Key.ToString());
        await Eventually.HoldsAsync(
            async () => (await node.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("fileState").GetString() == "added",
            "its Add is in the feed"
        );
        using var asked = await node.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
        asked.StatusCode.ShouldBe(HttpStatusCode.OK);

        // What the share has not got still takes its upload.
        var other = TestFile.Of(50_000);
        await other.WantAtAsync(node);
        await node.PutAsync(other.Content, other.Location);
        await TestCluster.StoredAsync(node, other.Key.ToString());
    }

    [Thorough]
    [Fact]
    public async Task A_share_that_answers_every_name_with_a_page_or_is_being_filled_has_not_got_the_files_and_is_blamed_for_nothing()
    {
        var files = new List<TestFile> { TestFile.Of(100), TestFile.Of(100_000), TestFile.Of(5_000_000), TestFile.Of(50_000) };
        var isFilled = false;
        await using var server = await StartServerAsync(context =>
        {
            var name = context.Request.Path.Value!.Split('/')[^1];
            var file = files.Find(one => name.StartsWith(one.Key.ToHex(), StringComparison.Ordinal));
            var body = name.EndsWith(".hashes", StringComparison.Ordinal) ? file?.Hashes : file?.Content;
            if (isFilled || file == files[3])
            {
                return SendAsync(context, body!, hasRanges: true);
            }

            if (file == files[1])
            {
                return SendAsync(context, body![..(body.Length / 2)], hasRanges: true);
            }

            context.Response.ContentType = "text/html; charset=utf-8";
            return context.Response.WriteAsync($"<html>{new string('x', 200)}</html>");
        });
        await using var cluster = await TestCluster.CreateAsync();
        var follower = await cluster.StartFollowerAsync(
            "b",
            ("FileTransfer__Sources__0__Name", "mirror"),
            ("FileTransfer__Sources__0__Url", $"{server.Urls.First()}/below/")
        );
        foreach (var file in files)
        {
            await file.WantAtAsync(follower);
        }

        await TestCluster.StoredAsync(follower, files[3].Key.ToString());
        foreach (var file in files[..3])
        {
            JsonElement replica = default;
            await Eventually.HoldsAsync(
                async () =>
                {
                    replica = (await follower.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("replicas")[0];
                    return replica.GetProperty("reason").GetString()?.Contains("share 'mirror'") == true;
                },
                "it says that the share has not got it"
            );
            replica.GetProperty("state").GetString().ShouldBe("wanted");
            replica.GetProperty("attempts").GetInt32().ShouldBe(0);
        }

        var sources = (await follower.GetJsonAsync("/v1/sources")).GetProperty("sources");
        sources[0].GetProperty("strikes").GetInt32().ShouldBe(0);
        isFilled = true;
        foreach (var file in files[..3])
        {
            using var retried = await follower.Http.PostAsync($"/v1/files/{file.Key}/retry", null);
            retried.EnsureSuccessStatusCode();
            await TestCluster.StoredAsync(follower, file.Key.ToString());
        }
    }

    [Thorough]
    [Fact]
    public async Task Contents_whose_chunk_hashes_are_rotten_cut_or_missing_at_their_share_come_whole_and_nothing_is_blamed()
    {
        TestFile[] files = [TestFile.Of(5_000_000), TestFile.Of(5_000_000), TestFile.Of(5_000_000)];
        await using var server = await StartServerAsync(context =>
        {
            var name = context.Request.Path.Value!.Split('/')[^1];
            var index = Array.FindIndex(files, one => name.StartsWith(one.Key.ToHex(), StringComparison.Ordinal));
            var file = files[index];
            var isHashes = name.EndsWith(".hashes", StringComparison.Ordinal);
            byte[]? body = (isHashes, index) switch
            {
                (false, _) => file.Content,
                (_, 0) => [(byte)(file.Hashes[0] ^ 1), .. file.Hashes[1..]],
                (_, 1) => file.Hashes[..100],
                _ => null,
            };
            context.Response.StatusCode = body is null ? 404 : 200;
            return body is null ? Task.CompletedTask : SendAsync(context, body, hasRanges: true);
        });
        await using var cluster = await TestCluster.CreateAsync();
        var follower = await cluster.StartFollowerAsync(
            "b",
            ("FileTransfer__Sources__0__Name", "mirror"),
            ("FileTransfer__Sources__0__Url", $"{server.Urls.First()}/below/")
        );
        foreach (var file in files)
        {
            await file.WantAtAsync(follower);
        }

        foreach (var file in files)
        {
            await TestCluster.StoredAsync(follower, file.Key.ToString());
            (await follower.GetJsonAsync($"/v1/files/{file.Key}"))
                .GetProperty("replicas")[0]
                .GetProperty("attempts")
                .GetInt32()
                .ShouldBe(0);
        }

        var source = (await follower.GetJsonAsync("/v1/sources")).GetProperty("sources")[0];
        (source.GetProperty("state").GetString(), source.GetProperty("strikes").GetInt32()).ShouldBe(("healthy", 0));
    }

    private static async Task<WebApplication> StartServerAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.Run(answer);
        await server.StartAsync();
        return server;
    }

    /// <summary>Serves one file below <c>/below/</c>; refuses whoever shows a token.</summary>
    private static async Task<WebApplication> StartServerAsync(TestFile file, bool isShare)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.Run(async context =>
        {
            var key = file.Key.ToHex();
            var body = context.Request.Path.Value switch
            {
                _ when context.Request.Headers.Authorization.Count > 0 => null,
                var path when isShare && path == $"/below/{key}" => file.Content,
                var path when isShare && path == $"/below/{key}.hashes" => file.Hashes,
                var path when !isShare && path == $"/below/download/{key}" => Frames(file.Content),
                _ => null,
            };
            if (body is null)
            {
                context.Response.StatusCode = (int)HttpStatusCode.NotFound;
                return;
            }

            await SendAsync(context, body, hasRanges: isShare);
        });
        await server.StartAsync();
        return server;
    }

    private static async Task SendAsync(HttpContext context, byte[] body, bool hasRanges)
    {
        var (from, to) = (0L, body.Length - 1L);
        if (hasRanges && context.Request.GetTypedHeaders().Range?.Ranges.Single() is { } range)
        {
            (from, to) = (range.From!.Value, Math.Min(range.To!.Value, to));
            context.Response.StatusCode = (int)HttpStatusCode.PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{to}/{body.Length}";
        }

        context.Response.ContentLength = to - from + 1;
        await context.Response.Body.WriteAsync(body.AsMemory((int)from, (int)(to - from + 1)));
    }

    /// <summary>The last chunks first: an older node promises no order.</summary>
    private static byte[] Frames(byte[] content)
    {
        using var frames = new MemoryStream();
        var chunks = (int)ChunkFrame.ChunkCount(content.Length);
        foreach (var chunk in Enumerable.Range(0, chunks - 1).Reverse().Append(chunks - 1))
        {
            frames.Write(BitConverter.GetBytes((ulong)chunk));
            frames.Write(content.AsSpan(chunk * ChunkFrame.ChunkLength, (int)ChunkFrame.ChunkLengthOf(chunk, content.Length)));
        }

        return frames.ToArray();
    }
}
