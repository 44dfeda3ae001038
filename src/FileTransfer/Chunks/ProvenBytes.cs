using FileTransfer.Identity;

namespace FileTransfer.Chunks;

/// <summary>A small content in memory that has been proven: only bytes with this fingerprint can be made into one.</summary>
public sealed class ProvenBytes
{
    private ProvenBytes(Fingerprint fingerprint, ReadOnlyMemory<byte> bytes) => (Fingerprint, Bytes) = (fingerprint, bytes);

    public Fingerprint Fingerprint { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Null when the bytes have another fingerprint. They must not change as long as the result is used.</summary>
    public static ProvenBytes? TryProve(Fingerprint fingerprint, ReadOnlyMemory<byte> bytes) =>
        ContentFingerprint.Of(bytes.Span) == fingerprint ? new ProvenBytes(fingerprint, bytes) : null;
}
