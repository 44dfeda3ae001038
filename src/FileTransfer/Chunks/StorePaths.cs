namespace FileTransfer.Chunks;

/// <summary>Names every path of the store; paths come from parsed 32-byte values alone.</summary>
internal sealed class StorePaths(string dataDirectory)
{
    public const string HashesSuffix = ".hashes";
    public const string ReasonSuffix = ".reason";

    /// <summary>Beside a larger content: the files that are of it, one a line.</summary>
    public const string FilesSuffix = ".files";
    private const string IncomingPrefix = "incoming.";

    public string Root { get; } = Path.GetFullPath(dataDirectory);

    public string LockFile => Path.Combine(Root, ".lock");

    /// <summary>Whose folder this is.</summary>
    public string NodeFile => Path.Combine(Root, "node.json");

    /// <summary>What the node signs with.</summary>
    public string KeyFile => Path.Combine(Root, "node.key");

    /// <summary>The embedded engine.</summary>
    public string Small => Path.Combine(Root, "small.db");

    public string Contents => Path.Combine(Root, "content");

    /// <summary>Where earlier versions kept the links of visible files.</summary>
    public string Files => Path.Combine(Root, "files");

    public string Partials => Path.Combine(Root, "partial");

    public string Quarantine => Path.Combine(Root, "quarantine");

    /// <summary>A path in the quarantine that nothing has yet.</summary>
    public string FreeInQuarantine(string name)
    {
        var path = Path.Combine(Quarantine, name);
        for (var number = 2; Path.Exists(path); number++)
        {
            path = Path.Combine(Quarantine, $"{name}.{number}");
        }

        return path;
    }

    public string Content(Fingerprint fingerprint)
    {
        var hex = fingerprint.ToHex();
        return $"{Contents}/{hex[..2]}/{hex[2..4]}/{hex}";
    }

    public string Hashes(Fingerprint fingerprint) => Content(fingerprint) + HashesSuffix;

    public string FilesOf(Fingerprint fingerprint) => Content(fingerprint) + FilesSuffix;

    public string Partial(FileKey key, long epoch) =>
        Path.Combine(Partials, string.Create(CultureInfo.InvariantCulture, $"{key.ToHex()}.{epoch}"));

    /// <summary>All partials of one file.</summary>
    public static string PartialPattern(FileKey key) => key.ToHex() + ".*";

    public string Incoming(Guid id) => Path.Combine(Partials, $"{IncomingPrefix}{id:n}");

    public static string DataOf(string partialFolder) => Path.Combine(partialFolder, "data");

    public static string HashesOf(string partialFolder) => Path.Combine(partialFolder, "hashes");

    public static bool TryReadPartial(string folder, out FileKey key, out long epoch)
    {
        key = default;
        epoch = 0;
        var name = Path.GetFileName(folder);
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot == Hash256.Length * 2
            && FileKey.TryParse(name[..dot], out key)
            && long.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out epoch);
    }
}
