using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Uploads.Ingest;

/// <summary>Folders whose files become files of the cluster. Section <c>FileTransfer</c>.</summary>
public sealed class IngestOptions
{
    public const string Section = "FileTransfer";

    /// <summary>Leaves room for any name in a location.</summary>
    private const int LongestPrefix = FileMetadata.MaxLocationLength - 1024;

    /// <summary>The folders that this node watches.</summary>
    /// <remarks>Default none. What this node takes while another one leads, it hands over to the leader.</remarks>
    public IList<IngestFolder> Ingest { get; } = [];

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        for (var i = 0; i < Ingest.Count; i++)
        {
            var (key, folder) = ($"{Section}:Ingest:{i}", Ingest[i]);
            if (Ingest.Take(i).Any(earlier => string.Equals(earlier.Name, folder.Name, StringComparison.OrdinalIgnoreCase)))
            {
                yield return $"{key}:Name is '{folder.Name}' again; write another name.";
            }

            if (!Path.IsPathFullyQualified(folder.Folder))
            {
                yield return $"{key}:Folder is '{folder.Folder}'; write the whole path of a folder.";
            }

            if (Encoding.UTF8.GetByteCount(folder.LocationPrefix) > LongestPrefix)
            {
                yield return $"{key}:LocationPrefix is longer than {LongestPrefix} bytes; write a shorter one.";
            }

            foreach (var (name, value) in new[] { ("Owner", folder.Owner), ("Bucket", folder.Bucket) })
            {
                if (!ByteString.TryParseHex(value, out var id) || id.Length is 0 or > FileMetadata.MaxIdLength)
                {
                    yield return $"{key}:{name} is '{value}'; write it in hex.";
                }
            }
        }
    }
}

/// <summary>One watched folder.</summary>
public sealed class IngestFolder
{
    private const string NameHint = "1 to 64 letters, digits, '.', '_' or '-'";
    private const string IdHint = "an id in hex";

    /// <summary>What it is called. What was taken from it is kept under this name: a node that goes on with a folder has the same one.</summary>
    [Required(ErrorMessage = NameHint)]
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = NameHint)]
    public string Name { get; set; } = "";

    /// <summary>The folder, by its whole path; folders in it are not looked into.</summary>
    [Required(ErrorMessage = "the whole path of a folder")]
    public string Folder { get; set; } = "";

    /// <summary>Which names are taken: <c>*</c> stands for any characters, <c>?</c> for one. Upper and lower case differ.</summary>
    /// <remarks>Default <c>*</c>. A name that begins with a dot, as many programs call what they still write, is taken only where this does.</remarks>
    [Required(ErrorMessage = "a pattern such as *.wal.sealed")]
    public string Pattern { get; set; } = "*";

    /// <summary>The owner of the files, in hex.</summary>
    [Required(ErrorMessage = IdHint)]
    public string Owner { get; set; } = "";

    /// <summary>The bucket of the files, in hex.</summary>
    [Required(ErrorMessage = IdHint)]
    public string Bucket { get; set; } = "";

    /// <summary>What comes before a file's name in its location.</summary>
    /// <remarks>Default nothing: the location is the name.</remarks>
    public string LocationPrefix { get; set; } = "";

    /// <summary>How long a file must not have changed to be complete. One that is renamed into place is so at once.</summary>
    /// <remarks>Default 2 s, 0.1 s – 1 day: longer than any pause of who writes there.</remarks>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan QuietFor { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether a file is deleted from the folder once every node and every follower has it.</summary>
    /// <remarks>Default <c>false</c>.</remarks>
    public bool DeleteWhenAcknowledged { get; set; }

    /// <summary>What the file of a name would be, by its content.</summary>
    internal FileMetadata MetadataOf(string name, long size, Fingerprint fingerprint) =>
        new(IdOf(Owner), IdOf(Bucket), ByteString.FromUtf8(LocationPrefix + name), (ulong)size, fingerprint);

    private static ByteString IdOf(string hex) =>
        ByteString.TryParseHex(hex, out var id) ? id : throw new InvalidOperationException($"'{hex}' is not hex.");
}
