using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Trust;
using FileTransfer.Contracts;
using FileTransfer.Identity;
using FileTransfer.Identity.Signing;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Cluster.Gossip;

/// <summary>What strangers say to a node, and how fast.</summary>
public sealed class GossipRouteTests
{
    private static readonly PeerName _stranger = new("elsewhere", new NodeId("stranger"));

    private readonly NodeKey _key = NodeKey.Create();

    [Thorough]
    [Fact]
    public async Task A_stranger_is_shown_as_not_trusted_and_gets_the_words_of_the_node_alone_signed()
    {
        await using var server = await RunningServer.StartAsync();
        var body = Message();
        var signature = Sign(body);

        using var answer = await SendAsync(server, body, signature);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        var said = await answer.Content.ReadAsByteArrayAsync();
        var message = JsonSerializer.Deserialize(said, WireJson.Default.GossipMessage)!;
        message.Peers.ShouldBeNull();
        var (words, refused) = AnnouncementText.Read(message.Announcements.ShouldHaveSingleItem(), DateTimeOffset.UtcNow);
        refused.ShouldBeNull();
        RequestSignatures.SenderOf(answer).ShouldBe(words!.Name);
        RequestSignatures.IsAnswerOf(answer, words.Name, signature.Nonce, said, words.Content.Keys).ShouldBeTrue();

        var peer = (await PeersAsync(server)).GetProperty("peers").EnumerateArray().ShouldHaveSingleItem();
        peer.GetProperty("node").GetString().ShouldBe("stranger");
        peer.GetProperty("trusted").GetBoolean().ShouldBeFalse();
        peer.GetProperty("alive").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task What_nobody_has_signed_who_is_known_and_what_was_sent_before_is_not_believed()
    {
        await using var server = await RunningServer.StartAsync();
        var body = Message();
        var signature = Sign(body);
        using var first = await SendAsync(server, body, signature);
        first.StatusCode.ShouldBe(HttpStatusCode.OK);

        (await DetailAsync(SendAsync(server, body, signature), 401, "unauthenticated")).ShouldContain("sent before");
        (await DetailAsync(SendAsync(server, body, null), 401, "unauthenticated")).ShouldContain(SignatureHeader.Name);
        var other = "{}"u8.ToArray();
        (await DetailAsync(SendAsync(server, other, Sign(body)), 401, "unauthenticated")).ShouldContain("elsewhere/stranger");
        (await DetailAsync(SendAsync(server, body, Sign(body, to: "elsewhere/third")), 401, "unauthenticated")).ShouldContain(
            "elsewhere/third"
        );
        var late = Sign(body, at: DateTimeOffset.UtcNow - TimeSpan.FromHours(1));
        (await DetailAsync(SendAsync(server, body, late), 401, "unauthenticated")).ShouldContain("NTP");
        var nonsense = "{\"announcements\":"u8.ToArray();
        await DetailAsync(SendAsync(server, nonsense, Sign(nonsense)), 400, "bad-request");
        var longest = Encoding.ASCII.GetBytes(new string(' ', GossipMessage.Longest + 1));
        await DetailAsync(SendAsync(server, longest, Sign(longest)), 413, "request-too-large");
        var refused = (await PeersAsync(server)).GetProperty("refused");
        refused.GetProperty("signature").GetInt32().ShouldBe(5);
        refused.GetProperty("malformed").GetInt32().ShouldBe(1);
        using var scraped = await server.SendAsync(HttpMethod.Get, "/metrics");
        var figures = await scraped.Content.ReadAsStringAsync();
        figures.ShouldMatch(@"filetransfer_gossip_peers\{[^}]*state=""untrusted""[^}]*\} 1\b");
        figures.ShouldMatch(@"filetransfer_gossip_peers\{[^}]*state=""alive""[^}]*\} 0\b");
        figures.ShouldMatch(@"filetransfer_gossip_refused_total\{[^}]*reason=""signature""[^}]*\} [1-9]");
        figures.ShouldMatch(@"filetransfer_gossip_messages_total\{[^}]*direction=""in""[^}]*\} [1-9]");
        figures.ShouldMatch(@"filetransfer_gossip_bytes_total\{[^}]*direction=""out""[^}]*\} [1-9]");
        figures.ShouldMatch(@"filetransfer_gossip_suspicions_total(\{[^}]*\})? \d");
    }

    [Fact]
    public async Task Who_gossips_nonsense_as_fast_as_he_can_is_told_to_wait_and_others_are_answered()
    {
        await using var server = await RunningServer.StartAsync();
        var nonsense = "{}"u8.ToArray();
        using var stop = new CancellationTokenSource();
        var refusals = 0;
        var flood = Enumerable.Range(0, 8).Select(_ => Task.Run(FloodAsync)).ToList();
        await Eventually.HoldsAsync(() => Task.FromResult(Volatile.Read(ref refusals) > 500), "most of it is refused");

        (await server.SendAsync(HttpMethod.Get, "/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await PeersAsync(server)).GetProperty("peers").GetArrayLength().ShouldBe(0);
        await stop.CancelAsync();
        await Task.WhenAll(flood);

        async Task FloodAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                using var answer = await SendAsync(server, nonsense, null);
                if (answer.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    answer.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
                    Interlocked.Increment(ref refusals);
                }
            }
        }
    }

    /// <summary>The stranger's own announcement.</summary>
    private byte[] Message()
    {
        var now = DateTimeOffset.UtcNow;
        var content = new Announcement(
            _stranger,
            now.ToUnixTimeMilliseconds(),
            1,
            [new Uri("http://127.0.0.1:1")],
            "auto",
            false,
            null,
            [],
            [_key.Public],
            null,
            now,
            now + Announcement.Lifetime
        );
        var message = new GossipMessage(Announcements: [AnnouncementText.Sign(content, _key).Text]);
        return JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Default.GossipMessage);
    }

    private SignatureHeader Sign(byte[] body, string to = SignatureHeader.Anybody, DateTimeOffset? at = null) =>
        RequestSigner.Sign(_key, _stranger, to, at ?? DateTimeOffset.UtcNow, "POST", Routes.Gossip, body);

    private static async Task<HttpResponseMessage> SendAsync(RunningServer server, byte[] body, SignatureHeader? signature)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, Routes.Gossip) { Content = content };
        request.Headers.Add(NodeHeader.Cluster, _stranger.Cluster);
        request.Headers.Add(NodeHeader.Name, _stranger.Node.Value);
        if (signature is not null)
        {
            request.Headers.TryAddWithoutValidation(SignatureHeader.Name, signature.ToString());
        }

        return await server.Client.SendAsync(request);
    }

    private static async Task<string> DetailAsync(Task<HttpResponseMessage> asked, int status, string slug)
    {
        using var answer = await asked;
        ((int)answer.StatusCode).ShouldBe(status, await answer.Content.ReadAsStringAsync());
        return (await answer.ReadProblemAsync(slug)).GetProperty("detail").GetString()!;
    }

    private static async Task<JsonElement> PeersAsync(RunningServer server) =>
        JsonDocument.Parse(await server.Client.GetStringAsync(Routes.Peers)).RootElement;
}
