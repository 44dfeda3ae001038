using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.Chunks.Folder;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Who signs requests as a node, by the words of docs/protocol.md and with the framework alone.</summary>
internal sealed class SigningPeer : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string _cluster;
    private readonly string _node;

    public SigningPeer(string cluster, string node) => (_cluster, _node) = (cluster, node);

    /// <summary>Signs with what is in the folder of a node.</summary>
    public static SigningPeer Of(NodeProcess node, string cluster = "default")
    {
        var peer = new SigningPeer(cluster, node.Id);
        peer._key.ImportPkcs8PrivateKey(NodeKeyFile.ReadOrMake(node.DataDirectory).Current.ToPkcs8(), out _);
        return peer;
    }

    public string PublicKey => Convert.ToBase64String(_key.ExportSubjectPublicKeyInfo());

    public async Task<HttpResponseMessage> SendAsync(
        NodeProcess to,
        string path,
        byte[]? body = null,
        HttpMethod? method = null,
        string? cluster = null,
        TimeSpan clock = default
    )
    {
        using var request = Sign(to, path, body, method, cluster, clock);
        return await to.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public HttpRequestMessage Sign(
        NodeProcess to,
        string path,
        byte[]? body = null,
        HttpMethod? method = null,
        string? cluster = null,
        TimeSpan clock = default
    )
    {
        var request = new HttpRequestMessage(method ?? (body is null ? HttpMethod.Get : HttpMethod.Post), new Uri(to.Url, path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.Add("Content-Type", "application/json");
        }

        var at = (DateTimeOffset.UtcNow + clock).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
        var whom = $"{cluster ?? "default"}/{to.Id}";
        var hash = Convert.ToHexStringLower(SHA256.HashData(body ?? []));
        var words = $"filetransfer-request\n{request.Method}\n{path}\n{whom}\n{_cluster}\n{_node}\n{at}\n{nonce}\n{hash}";
        var signature = Base64Url.EncodeToString(_key.SignData(Encoding.UTF8.GetBytes(words), HashAlgorithmName.SHA256));
        request.Headers.Add("FileTransfer-Cluster", _cluster);
        request.Headers.Add("FileTransfer-Node", _node);
        request.Headers.Add("FileTransfer-Signature", $"to={whom}; at={at}; nonce={nonce}; sig={signature}");
        return request;
    }

    public void Dispose() => _key.Dispose();
}
