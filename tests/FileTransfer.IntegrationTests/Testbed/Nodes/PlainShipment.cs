using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>What a cluster ships, as a script makes it that knows the wire and nothing of the product.</summary>
internal sealed class PlainShipment(string cluster)
{
    private readonly Guid _epoch = Guid.NewGuid();

    public static int BinOf(PlainFile file) => Convert.ToInt32(file.Key[2..3], 16);

    /// <param name="cursors">The newest sequence of each bin; 0 where it says nothing.</param>
    public Task<HttpResponseMessage> GreetAsync(NodeProcess follower, Func<int, long> cursors) =>
        follower.Http.PostAsJsonAsync(
            "/v1/shipments/handshake",
            new
            {
                cluster,
                epoch = _epoch,
                urls = new[] { "http://127.0.0.1:9" },
                bins = Enumerable
                    .Range(0, 16)
                    .Select(bin => new
                    {
                        bin,
                        cursor = cursors(bin),
                        retainedFrom = 1,
                        digest = new string('0', 64),
                    }),
            }
        );

    /// <summary>A page with the Adds of files of one bin.</summary>
    /// <param name="sequences">Of each.</param>
    /// <param name="contents">What comes along for each; null = nothing.</param>
    public byte[] Of(IReadOnlyList<PlainFile> files, IReadOnlyList<long> sequences, IReadOnlyList<byte[]?> contents)
    {
        var bin = BinOf(files[0]);
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                cluster,
                buckets = Array.Empty<string>(),
                page = new
                {
                    epoch = _epoch,
                    bin,
                    from = sequences[0],
                    topmost = sequences[^1],
                    mutations = files.Select(
                        (file, i) =>
                            new
                            {
                                sequence = sequences[i],
                                kind = "add",
                                key = file.Key,
                                metadata = file.Metadata(),
                                origin = new
                                {
                                    cluster,
                                    epoch = _epoch,
                                    bin,
                                    sequence = sequences[i],
                                },
                                appendedAt = DateTime.UnixEpoch,
                            }
                    ),
                },
            }
        );
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, json.Length);
        return [.. length, .. json, .. contents.SelectMany(ContentOf)];
    }

    public static async Task<HttpResponseMessage> SendAsync(NodeProcess follower, byte[] shipment)
    {
        using var body = new ByteArrayContent(shipment);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.filetransfer.shipment");
        return await follower.Http.PostAsync("/v1/shipments", body);
    }

    private static byte[] ContentOf(byte[]? content)
    {
        var size = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(size, content?.Length ?? -1);
        return [.. size, .. content ?? []];
    }
}
