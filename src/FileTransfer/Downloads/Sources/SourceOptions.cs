using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Downloads.Sources;

/// <summary>What a configured source serves.</summary>
public enum ConfiguredKind
{
    /// <summary>A static share: <c>{key}</c>, <c>{key}.hashes</c>, with ranges; what <c>filetransfer export</c> writes.</summary>
    Share,

    /// <summary>Whole framed bodies at <c>download/{key}</c>, nothing else: an older StorageHub node.</summary>
    Stream,
}

/// <summary>Places outside the cluster where contents can be had. Section <c>FileTransfer</c>.</summary>
public sealed class SourceOptions
{
    public const string Section = "FileTransfer";

    /// <summary>They are asked for every file besides the nodes that have it. They need no trust: everything they send is proven.</summary>
    /// <remarks>Default none.</remarks>
    public IList<SourceEntry> Sources { get; } = [];

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        for (var i = 0; i < Sources.Count; i++)
        {
            if (Sources.Take(i).Any(earlier => string.Equals(earlier.Name, Sources[i].Name, StringComparison.OrdinalIgnoreCase)))
            {
                yield return $"{Section}:Sources:{i}:Name is '{Sources[i].Name}' again; write another name.";
            }
        }
    }
}

/// <summary>One configured source.</summary>
public sealed class SourceEntry
{
    private const string NameHint = "1 to 64 letters, digits, '.', '_' or '-'";

    /// <summary>What it is called in reasons, logs and limits. 1 to 64 letters, digits, '.', '_' or '-'.</summary>
    [Required(ErrorMessage = NameHint)]
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = NameHint)]
    public string Name { get; set; } = "";

    /// <summary>Absolute http(s) URL of the folder that files are below. A query, such as a signature, goes with every request.</summary>
    [Required(ErrorMessage = "an absolute URL such as http://mirror.example/files/")]
    public Uri? Url { get; set; }

    /// <summary><c>Share</c> or <c>Stream</c>.</summary>
    /// <remarks>Default <c>Share</c>.</remarks>
    public ConfiguredKind Kind { get; set; } = ConfiguredKind.Share;

    /// <summary>The header <c>Authorization</c>, such as <c>Bearer TOKEN</c>; shown to the host of the URL alone.</summary>
    /// <remarks>Default none; where the URL has a name and a password, <c>Basic</c> with these.</remarks>
    public string? Authorization { get; set; }

    /// <summary>Names of hosts that redirects are followed to; those to the URL's own host are.</summary>
    /// <remarks>Default none. Never from https to http.</remarks>
    public IList<string> FollowRedirectsTo { get; } = [];

    /// <summary>The URL with a slash at the end of its path, so that paths are below it; without a name and a password.</summary>
    internal Uri Base =>
        Url!.AbsolutePath.EndsWith('/') && Url.UserInfo.Length == 0
            ? Url
            : new UriBuilder(Url)
            {
                Path = Url.AbsolutePath.TrimEnd('/') + "/",
                UserName = "",
                Password = "",
            }.Uri;

    /// <summary>What is shown to the host of the URL.</summary>
    internal string? Credentials =>
        Authorization is { Length: > 0 } ? Authorization
        : Url!.UserInfo.Length > 0
            ? $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(Url.UserInfo)))}"
        : null;
}
