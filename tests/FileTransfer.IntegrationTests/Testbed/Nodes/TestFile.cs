using System.Net;
using System.Net.Http.Json;
using System.Text;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A file of a test: its content and its identity. Two of one seed and size share a content, under keys of their own.</summary>
internal sealed class TestFile
{
    private static int _number;

    private readonly Lazy<byte[]> _hashes;

    private TestFile(byte[] content, string location)
    {
        Content = content;
        _hashes = new Lazy<byte[]>(() =>
        {
            using var hashes = ChunkHashes.Create(content.Length);
            hashes.Set(0, content);
            var encoded = new byte[hashes.EncodedLength];
            hashes.ReadEncoded(0, encoded);
            return encoded;
        });
        Location = location;
        Metadata = new FileMetadata(
            Id("01"),
            Id("02"),
            ByteString.FromUtf8(location),
            (ulong)content.Length,
            ContentFingerprint.Of(content)
        );
        Key = Metadata.ComputeKey();
    }

    public byte[] Content { get; }

    /// <summary>Its chunk hashes, as they are on the wire.</summary>
    public byte[] Hashes => _hashes.Value;

    public string Location { get; }

    public FileMetadata Metadata { get; }

    public FileKey Key { get; }

    public Fingerprint Fingerprint => Metadata.Fingerprint;

    public static TestFile Of(int size, int? seed = null, string place = "")
    {
        var number = Interlocked.Increment(ref _number);
        return new TestFile(ReplicationTests.Content(seed ?? number, size), $"{place}file {number}");
    }

    /// <summary>Makes the file known to the cluster as added, stored at a node.</summary>
    public async Task AddAsync(TestDatabase database, string storedAt)
    {
        await KnowAsync(database);
        await new ForgedReplica(storedAt, ReplicaState.Stored).AddAsync(database, this);
    }

    /// <summary>Makes the file known to the cluster as added; nobody has it stored.</summary>
    public Task KnowAsync(TestDatabase database) =>
        database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.files (file_key, owner, bucket, location, size, fingerprint, state)
            VALUES ({Sql(Key.ToArray())}, '\x01', '\x02', {Sql(Encoding.UTF8.GetBytes(Location))}, {Content.Length}, {Sql(
                Fingerprint.ToArray()
            )}, 'added')
            ON CONFLICT DO NOTHING
            """
        );

    /// <summary>Registers the file at a node, which wants it from then on. A node that has just been started is waited for.</summary>
    public async Task WantAtAsync(NodeProcess node)
    {
        HttpStatusCode status = default;
        await Eventually.HoldsAsync(
            async () => (status = await RegisterAsync(node)) != HttpStatusCode.ServiceUnavailable,
            $"{node.Id} has joined its cluster"
        );
        status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Created);
    }

    private async Task<HttpStatusCode> RegisterAsync(NodeProcess node)
    {
        using var response = await node.Http.PutAsJsonAsync(
            $"/v1/files/{Key}",
            new
            {
                owner = "0x01",
                bucket = "0x02",
                location = Location,
                size = Content.Length,
                fingerprint = Fingerprint.ToString(),
            }
        );
        return response.StatusCode;
    }

    private static ByteString Id(string hex) => ByteString.TryParseHex(hex, out var id) ? id : throw new FormatException(hex);

    public static string Sql(byte[] value) => $"'\\x{Convert.ToHexString(value)}'::bytea";

    public string KeySql => Sql(Key.ToArray());
}
