using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
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
        var header = HeaderOf(
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
        return [.. header, .. contents.SelectMany(ContentOf)];
    }

    /// <summary>What the ranges of keys of a bin have: those with two digits more than the bin.</summary>
    public byte[] RangesOf(IReadOnlyList<PlainFile> files, long cursor) =>
        HeaderOf(
            new
            {
                cluster,
                buckets = Array.Empty<string>(),
                ranges = new
                {
                    epoch = _epoch,
                    bin = BinOf(files[0]),
                    cursor,
                    ranges = files
                        .GroupBy(PrefixOf)
                        .OrderBy(range => range.Key, StringComparer.Ordinal)
                        .Select(range => new
                        {
                            prefix = range.Key,
                            files = range.Count(),
                            digest = DigestOf(range),
                        }),
                },
            }
        );

    /// <summary>All files of a range, after which the comparison is over.</summary>
    public byte[] FilesOf(IReadOnlyList<PlainFile> files, long cursor) =>
        HeaderOf(
            new
            {
                cluster,
                buckets = Array.Empty<string>(),
                prefix = PrefixOf(files[0]),
                isLast = true,
                files = new
                {
                    epoch = _epoch,
                    bin = BinOf(files[0]),
                    cursor,
                    files = files.Select(file => new
                    {
                        key = file.Key,
                        metadata = file.Metadata(),
                        origin = new
                        {
                            cluster,
                            epoch = _epoch,
                            bin = BinOf(file),
                            sequence = cursor,
                        },
                    }),
                },
            }
        );

    public static string PrefixOf(PlainFile file) => file.Key[2..5];

    private string DigestOf(IEnumerable<PlainFile> files) =>
        Convert.ToHexStringLower(
            SHA256.HashData([
                .. files
                    .OrderBy(file => file.Key, StringComparer.Ordinal)
                    .SelectMany(file => Convert.FromHexString(file.Key[2..]).Concat(Encoding.UTF8.GetBytes($"{cluster}\n"))),
            ])
        );

    private static byte[] HeaderOf(object description)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(description);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, json.Length);
        return [.. length, .. json];
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
