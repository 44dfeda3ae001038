using FileTransfer.Chunks;
using FileTransfer.Identity;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Cli;

/// <summary>
/// A content on its way into a file: gathers beside the target under another name, is proven there, and takes the target's name only
/// then. Disposed before that, it leaves nothing behind.
/// </summary>
public sealed class DownloadTarget : IDisposable
{
    private readonly string _path;
    private readonly string _folder;
    private readonly string _temporary;
    private readonly FileMetadata _metadata;
    private readonly SafeFileHandle _file;
    private ChunkHashes _hashes;

    /// <summary>Without a path the content is only to be read back, with <see cref="CopyToAsync"/>.</summary>
    public DownloadTarget(string? path, FileKey key, FileMetadata metadata)
    {
        _folder = path is null ? Path.GetTempPath() : Path.GetDirectoryName(Path.GetFullPath(path))!;
        _path = path ?? "";
        _metadata = metadata;
        _temporary = Path.Combine(_folder, $".{key.ToHex()[..16]}.{Guid.NewGuid():N}.partial");
        try
        {
            _file = File.OpenHandle(
                _temporary,
                FileMode.CreateNew,
                FileAccess.ReadWrite,
                FileShare.Read,
                FileOptions.Asynchronous
            );
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw LocalContent.Failure(_folder, fault);
        }

        _hashes = ChunkHashes.Create(Size);
    }

    public long Size => (long)_metadata.Size;

    /// <summary>The first chunk that is not here yet.</summary>
    public long NextChunk { get; private set; }

    public long BytesWritten => Math.Min(NextChunk * ChunkFrame.ChunkLength, Size);

    /// <summary>Writes whole chunks; a run that begins before <see cref="NextChunk"/> replaces what is there.</summary>
    public async ValueTask WriteAsync(long firstChunk, ReadOnlyMemory<byte> chunks, CancellationToken cancellationToken)
    {
        _hashes.Set(firstChunk, chunks.Span);
        await RandomAccess.WriteAsync(_file, chunks, firstChunk * ChunkFrame.ChunkLength, cancellationToken);
        NextChunk = firstChunk + ChunkFrame.ChunkCount(chunks.Length);
    }

    /// <summary>Whether all that was written is the content that the file's name stands for.</summary>
    public bool Prove() => BytesWritten == Size && _hashes.ComputeFingerprint() == _metadata.Fingerprint;

    /// <summary>Forgets what was written: it did not prove.</summary>
    public void Restart()
    {
        _hashes.Dispose();
        _hashes = ChunkHashes.Create(Size);
        NextChunk = 0;
    }

    /// <summary>Makes the proven content durable under its own name.</summary>
    public void Publish()
    {
        DurableFile.Fsync(_file, _temporary);
        DurableFile.Rename(_temporary, _path);
        DurableFile.FsyncFolder(_folder);
    }

    public async Task CopyToAsync(Stream output, CancellationToken cancellationToken)
    {
        await using var content = new FileStream(_temporary, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        await content.CopyToAsync(output, cancellationToken);
        await output.FlushAsync(cancellationToken);
    }

    public void Dispose()
    {
        _hashes.Dispose();
        _file.Dispose();
        File.Delete(_temporary);
    }
}
