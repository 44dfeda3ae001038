namespace FileTransfer.Identity;

/// <summary>BLAKE2b-256, unkeyed (RFC 7693).</summary>
public static class Blake2b
{
    public static Hash256 Hash256(ReadOnlySpan<byte> message) => throw new InvalidOperationException(message.Length.ToString());
}
