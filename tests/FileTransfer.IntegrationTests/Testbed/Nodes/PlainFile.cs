using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using FileTransfer.Tests.Identity.Hashing;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A file as a script has it that knows the definition of identity and wire and nothing of the product.</summary>
public sealed class PlainFile
{
    private readonly byte[] _fingerprint;

    public PlainFile(byte[] content, byte[]? location = null, byte[]? bucket = null, byte[]? owner = null)
    {
        Content = content;
        Owner = owner ?? new byte[32];
        Bucket = bucket ?? [.. Enumerable.Repeat((byte)1, 32)];
        Location = location ?? Encoding.UTF8.GetBytes($"tests/{Guid.NewGuid()}");
        _fingerprint = PlainIdentity.Fingerprint(content);
        byte[] metadata =
        [
            .. new[] { Owner, Bucket, Location }.SelectMany(part => PlainIdentity.Compact(part.Length).Concat(part)),
            .. PlainIdentity.Compact(content.Length),
            .. _fingerprint,
        ];
        Key = Hex(PlainBlake2b.Hash256(metadata));
    }

    public byte[] Content { get; }

    public byte[] Owner { get; }

    public byte[] Bucket { get; }

    public byte[] Location { get; }

    public string Key { get; }

    public string Fingerprint => Hex(_fingerprint);

    public int ChunkCount => (Content.Length + 1023) / 1024;

    /// <summary>All of it, in order: the body of a download.</summary>
    public byte[] Framed => FramesOf(Enumerable.Range(0, ChunkCount));

    /// <summary>32 bytes a chunk; a last value below 33 bytes stands for itself.</summary>
    public byte[] Hashes =>
        [
            .. Content
                .Chunk(1024)
                .Select((chunk, id) => PlainIdentity.ChunkValue(id, chunk))
                .SelectMany(value => value.Length < 33 ? value : PlainBlake2b.Hash256(value)),
        ];

    /// <summary>A new file of random bytes.</summary>
    public static PlainFile Random(int size, byte[]? bucket = null) => new(RandomBytes(size), bucket: bucket);

    public static byte[] RandomBytes(int size)
    {
        var bytes = new byte[size];
        System.Random.Shared.NextBytes(bytes);
        return bytes;
    }

    public static string Hex(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    public byte[] Chunk(int id) => Content[(id * 1024)..Math.Min(Content.Length, (id + 1) * 1024)];

    public byte[] FramesOf(IEnumerable<int> ids) => [.. ids.SelectMany(id => Frame((ulong)id, Chunk(id)))];

    public static byte[] Frame(ulong id, byte[] chunk)
    {
        var frame = new byte[8 + chunk.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, id);
        chunk.CopyTo(frame, 8);
        return frame;
    }

    /// <summary>All chunks in a random order in which a short one is last: only the final frame of a body may be shorter.</summary>
    public int[] ShuffledIds()
    {
        var whole = Enumerable.Range(0, Content.Length / 1024).ToArray();
        System.Random.Shared.Shuffle(whole);
        return whole.Length == ChunkCount ? whole : [.. whole, ChunkCount - 1];
    }

    /// <summary>The body of a registration, to be changed where a test wants it wrong.</summary>
    public JsonObject Metadata() =>
        new()
        {
            ["owner"] = Hex(Owner),
            ["bucket"] = Hex(Bucket),
            ["location"] = Encoding.UTF8.GetString(Location),
            ["size"] = Content.Length,
            ["fingerprint"] = Fingerprint,
        };
}
