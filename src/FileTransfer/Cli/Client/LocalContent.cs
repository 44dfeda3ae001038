using FileTransfer.Identity.Hashing;

namespace FileTransfer.Cli.Client;

/// <summary>Fingerprints of what lies on this machine, with failures in words.</summary>
public static class LocalContent
{
    public static async Task<Fingerprint> FingerprintAsync(
        string path,
        IProgress<long> bytesDone,
        CancellationToken cancellationToken
    )
    {
        RefuseFolder(path);
        try
        {
            return await ContentFingerprint.OfFileAsync(path, bytesDone, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw Failure(path, fault);
        }
    }

    /// <summary>The metadata of a file with this content; its hash is the key.</summary>
    public static async Task<FileMetadata> NameAsync(
        string path,
        long size,
        ByteString owner,
        ByteString bucket,
        ByteString location,
        IProgress<long> bytesDone,
        CancellationToken cancellationToken
    )
    {
        var fingerprint = await FingerprintAsync(path, bytesDone, cancellationToken);
        var metadata = new FileMetadata(owner, bucket, location, (ulong)size, fingerprint);
        return metadata.Fault() is { } fault ? throw new CliException(ExitCode.Failed, $"{path}: {fault}") : metadata;
    }

    public static void RefuseFolder(string path)
    {
        if (Directory.Exists(path))
        {
            throw new CliException(ExitCode.Failed, $"{path} is a folder. Name the files in it.");
        }
    }

    /// <summary>Does something with what is at a path; a fault of the disk is told in words that name the path.</summary>
    public static T Try<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw Failure(path, fault);
        }
    }

    /// <summary>The same for work that returns nothing.</summary>
    public static void Try(string path, Action work) =>
        Try(
            path,
            () =>
            {
                work();
                return true;
            }
        );

    /// <summary>The same fault in words that name the path.</summary>
    public static CliException Failure(string path, Exception fault) =>
        new(
            ExitCode.Failed,
            fault switch
            {
                FileNotFoundException or DirectoryNotFoundException => $"{path} does not exist.",
                UnauthorizedAccessException => $"{path} may not be accessed by this user.",
                _ when fault.Message.Contains(path, StringComparison.Ordinal) => fault.Message,
                _ => $"{path}: {fault.Message}",
            },
            fault
        );

    /// <summary>Its length, 0 where it is no plain file; for progress bars.</summary>
    public static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;
}
