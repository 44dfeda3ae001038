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

    /// <summary>Null when the bytes have another fingerprint. They must not change as long as the result is used.</summary>
    /// <param name="owner">Disposed with the result.</param>
    public static ProvenBytes? TryProve(Fingerprint fingerprint, ReadOnlyMemory<byte> bytes, IMemoryOwner<byte>? owner = null) =>
        ContentFingerprint.Of(bytes.Span) == fingerprint ? new ProvenBytes(fingerprint, bytes, owner) : null;

    public void Dispose() => _owner?.Dispose();
}
