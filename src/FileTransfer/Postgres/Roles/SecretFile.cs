namespace FileTransfer.Postgres.Roles;

/// <summary>A file that its owner alone may read, from its first moment on.</summary>
internal static class SecretFile
{
    /// <summary>Takes the place of a file of the same name.</summary>
    public static async Task WriteAsync(string path, string secret, CancellationToken cancellationToken)
    {
        var unfinished = $"{path}.new-{Guid.NewGuid():N}";
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        try
        {
            await using (var writer = new StreamWriter(unfinished, options))
            {
                await writer.WriteAsync(secret.AsMemory(), cancellationToken);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }
}
