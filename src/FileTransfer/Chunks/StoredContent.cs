using FileTransfer.Identity;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Chunks;

/// <summary>A proven content, open to be read. It stays readable until disposed, also when it is deleted meanwhile.</summary>
public sealed class StoredContent : IDisposable
{
    internal StoredContent(SafeFileHandle handle, Fingerprint fingerprint)
    {
        Handle = handle;
        Fingerprint = fingerprint;
        Size = RandomAccess.GetLength(handle);
    }

    public SafeFileHandle Handle { get; }

    public long Size { get; }

    public Fingerprint Fingerprint { get; }

    public void Dispose() => Handle.Dispose();

    /// <exception cref="ContentTruncatedException">The file ends before the destination is full.</exception>
    internal void ReadExactly(long offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(Handle, destination, offset);
            if (read == 0)
            {
                throw new ContentTruncatedException(Fingerprint, Size, offset);
            }

            offset += read;
            destination = destination[read..];
        }
    }
}

/// <summary>A stored content became shorter under its reader: damage. What was sent of it is not to be completed.</summary>
public sealed class ContentTruncatedException(Fingerprint fingerprint, long size, long endsAt)
    : IOException(
        $"The content {fingerprint} ends at {endsAt} instead of {size} bytes: the file is damaged. Set it aside to have it fetched again."
    )
{
    public Fingerprint Fingerprint { get; } = fingerprint;
}
