namespace FileTransfer.Cli.Commands;

/// <summary>A file to put; named by the command line itself, or found in a folder.</summary>
internal sealed record PutItem(string Path, ByteString Location, bool IsNamed);

/// <summary>The files that the paths of a command line stand for, found as they are asked for.</summary>
internal static class PutItems
{
    private static readonly EnumerationOptions _everything = new()
    {
        AttributesToSkip = FileAttributes.None,
        IgnoreInaccessible = false,
    };

    /// <summary>A location is for one file; without it, locations are made of the prefix and the paths.</summary>
    public static IEnumerable<PutItem> Of(IReadOnlyList<string> paths, string? location, string prefix, bool recursive)
    {
        foreach (var path in paths)
        {
            if (!Directory.Exists(path))
            {
                yield return new PutItem(path, ByteString.FromUtf8(location ?? prefix + Path.GetFileName(path)), IsNamed: true);
                continue;
            }

            if (!recursive)
            {
                throw new CliException(ExitCode.Usage, $"{path} is a folder. Add --recursive to put the files in it.");
            }

            foreach (var file in FilesIn(path))
            {
                var relative = Path.GetRelativePath(path, file).Replace(Path.DirectorySeparatorChar, '/');
                yield return new PutItem(file, ByteString.FromUtf8(prefix + NameOf(path) + relative), IsNamed: false);
            }
        }
    }

    /// <summary>The folder's name and a slash; nothing for one that is named as its contents: <c>photos/</c>, <c>.</c>, <c>..</c>.</summary>
    private static string NameOf(string folder) =>
        Path.GetFileName(folder) is { Length: > 0 } name and not ("." or "..") ? name + "/" : "";

    /// <summary>All files below a folder. A link to a file counts as one; a link to a folder is not entered, it may lead in a circle.</summary>
    private static IEnumerable<string> FilesIn(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", _everything))
        {
            yield return file;
        }

        foreach (var inner in new DirectoryInfo(folder).EnumerateDirectories("*", _everything))
        {
            if (inner.LinkTarget is null)
            {
                foreach (var file in FilesIn(Path.Combine(folder, inner.Name)))
                {
                    yield return file;
                }
            }
        }
    }
}
