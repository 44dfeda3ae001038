using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Nodes that let in who shows a token or signs, and what they answer.</summary>
internal static class GuardedNodes
{
    /// <summary>Tokens count: whoever shows none is asked who he is.</summary>
    public static readonly (string, string)[] Guarded =
    [
        ("FileTransfer__Tokens__0__Name", "root"),
        ("FileTransfer__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData("root-token"u8))),
        ("FileTransfer__Tokens__0__Scopes__0", "admin"),
    ];

    public static Task LetInAsync(NodeProcess node, SigningPeer peer) =>
        Eventually.HoldsAsync(
            async () => await StatusAsync(peer.SendAsync(node, "/v1/files")) == HttpStatusCode.OK,
            $"{node.Id} lets it in"
        );

    public static async Task RefusedAsync(Task<HttpResponseMessage> asked, string because)
    {
        using var answer = await asked;
        await answer.ShouldBeProblemAsync(401, "unauthenticated", because);
    }

    public static async Task<HttpStatusCode> StatusAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        return answer.StatusCode;
    }

    public static async Task<string?[]> KeysOfAsync(NodeProcess node, string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/nodes");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "root-token");
        using var answer = await node.Http.SendAsync(request);
        return
        [
            .. (await answer.Content.ReadFromJsonAsync<JsonElement>())
                .GetProperty("nodes")
                .EnumerateArray()
                .Where(one => one.GetProperty("node").GetString() == id)
                .SelectMany(one => one.GetProperty("publicKeys").EnumerateArray().Select(key => key.GetString())),
        ];
    }

    public static async Task<HttpStatusCode> AsRootAsync(NodeProcess node, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "root-token");
        request.Content = body is null ? null : JsonContent.Create(body);
        return await StatusAsync(node.Http.SendAsync(request));
    }
}
