using System.Net.Http.Headers;
using System.Net.Mime;
using FileTransfer.Cluster.Peers;
using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Sends gossip, and proves who answers.</summary>
public sealed class GossipTransport : IDisposable
{
    private readonly HttpMessageInvoker _http;
    private readonly RequestSigner _signer;
    private readonly TimeProvider _time;

    public GossipTransport(PeerAddresses addresses, RequestSigner signer, TimeProvider time)
    {
        _http = new HttpMessageInvoker(addresses.Connections(PeerClient.Connections()));
        (_signer, _time) = (signer, time);
    }

    /// <summary>Asks the addresses one after the other until one answers.</summary>
    /// <returns>What came of it.</returns>
    internal async Task<GossipEvent> AskAsync(GossipAction.Ask ask, GossipSenders senders, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(ask.News.ToMessage(), WireJson.Default.GossipMessage);
        using var patience = new CancellationTokenSource(ask.Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var reason = "it has no address";
        foreach (var url in ask.Urls)
        {
            try
            {
                return await AskAsync(ask, url, body, senders, either.Token);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
            {
                reason = e.Message.TrimEnd('.');
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                reason = $"no answer within {ask.Patience.TotalSeconds:0.#} s";
                break;
            }
        }

        return new GossipEvent.Failed(ask.Exchange, reason);
    }

    public void Dispose() => _http.Dispose();

    private async Task<GossipEvent> AskAsync(
        GossipAction.Ask ask,
        Uri url,
        byte[] body,
        GossipSenders senders,
        CancellationToken cancellationToken
    )
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(url, Routes.Gossip)) { Content = content };
        var nonce = await _signer.SignAsync(request, ask.To, cancellationToken);
        GossipMetrics.Sent(body.Length);
        using var response = await _http.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"it answered {(int)response.StatusCode}");
        }

        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var answer = await ReadAsync(stream, cancellationToken) ?? throw new HttpRequestException("its answer is too long");
        GossipMetrics.Received(answer.Length);
        var message =
            JsonSerializer.Deserialize(answer, WireJson.Default.GossipMessage) ?? throw new JsonException("it answered null");
        return
            RequestSignatures.SenderOf(response) is { } from
            && senders.Read(from, message, (keys, _) => RequestSignatures.IsAnswerOf(response, from, nonce, answer, keys))
                is { } sent
            ? new GossipEvent.Answered(ask.Exchange, from, sent.IsTrusted, sent.News)
            : throw new HttpRequestException("its answer is signed by nobody who is known");
    }

    /// <returns>Null where there is more than a message may have.</returns>
    private static async Task<byte[]?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[GossipMessage.Longest + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > GossipMessage.Longest ? null : buffer[..length];
    }
}
