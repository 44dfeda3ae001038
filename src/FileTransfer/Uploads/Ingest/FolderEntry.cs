using System.IO.Enumeration;

namespace FileTransfer.Uploads.Ingest;

/// <summary>What lies in a watched folder under a name.</summary>
/// <param name="Refusal">Why it cannot become a file, whatever is in it; null where it can.</param>
internal sealed record FolderEntry(string Name, string Path, long Size, DateTime ChangedAt, string? Refusal)
{
    /// <summary>What changes with the content.</summary>
    public string Stamp => string.Create(CultureInfo.InvariantCulture, $"{Size} bytes, {ChangedAt:O}");

    /// <summary>Null where there is nothing, or nothing any more.</summary>
    public static FolderEntry? Find(string folder, string name)
    {
        var path = System.IO.Path.Combine(folder, name);
        var info = new FileInfo(path);
        if ((int)info.Attributes == -1)
        {
            return name.Contains('\uFFFD', StringComparison.Ordinal)
                ? new FolderEntry(name, path, 0, default, "its name is not UTF-8; rename it")
                : null;
        }

        var refusal =
            info.Attributes.HasFlag(FileAttributes.ReparsePoint)
                ? "it is a symbolic link, which is not followed; move the file itself here"
            : info.Attributes.HasFlag(FileAttributes.Directory) ? "it is a folder, which is not looked into"
            : null;
        return new FolderEntry(name, path, refusal is null ? info.Length : 0, info.LastWriteTimeUtc, refusal);
    }

    /// <summary>
    /// The first names of a folder behind another, in the order of names; one look at the folder for each page, however many names there are.
    /// </summary>
    public static List<string> NamesIn(string folder, string pattern, string after, int limit)
    {
        var last = Comparer<string>.Create((one, other) => string.CompareOrdinal(other, one));
        var first = new PriorityQueue<string, string>(last);
        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        var names = new FileSystemEnumerable<string>(folder, (ref entry) => entry.FileName.ToString(), options)
        {
            ShouldIncludePredicate = (ref entry) =>
                Matches(pattern, entry.FileName)
                && entry.FileName.CompareTo(after, StringComparison.Ordinal) > 0
                && (first.Count < limit || entry.FileName.CompareTo(first.Peek(), StringComparison.Ordinal) < 0),
        };
        foreach (var name in names)
        {
            if (first.Count == limit)
            {
                first.Dequeue();
            }

            first.Enqueue(name, name);
        }

        return [.. first.UnorderedItems.Select(item => item.Element).Order(StringComparer.Ordinal)];
    }

    public static bool Matches(string pattern, ReadOnlySpan<char> name) =>
        (name[0] != '.' || pattern[0] == '.') && FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
