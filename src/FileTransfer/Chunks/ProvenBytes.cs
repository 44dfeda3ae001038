using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>A small content in memory that has been proven: only bytes with this fingerprint can be made into one.</summary>
public sealed class ProvenBytes : IDisposable
{
    private readonly IMemoryOwner<byte>? _owner;

    private ProvenBytes(Fingerprint fingerprint, ReadOnlyMemory<byte> bytes, IMemoryOwner<byte>? owner) =>
        (Fingerprint, Bytes, _owner) = (fingerprint, bytes, owner);

    public Fingerprint Fingerprint { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The bytes under the fingerprint that they have. They must not change as long as the result is used.</summary>
    /// <param name="owner">Disposed with the result.</param>
    public static ProvenBytes Of(ReadOnlyMemory<byte> bytes, IMemoryOwner<byte>? owner = null) =>
        new(ContentFingerprint.Of(bytes.Span), bytes, owner);

    /// <summary>Null when the bytes have another fingerprint.</summary>
    /// <inheritdoc cref="Of"/>
    public static ProvenBytes? TryProve(Fingerprint fingerprint, ReadOnlyMemory<byte> bytes, IMemoryOwner<byte>? owner = null) =>
        Of(bytes, owner) is var proven && proven.Fingerprint == fingerprint ? proven : null;

    public void Dispose() => _owner?.Dispose();
}
