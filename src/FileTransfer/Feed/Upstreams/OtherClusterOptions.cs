using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Feed.Upstreams;

/// <summary>A cluster with a database of its own, and what it wants to be shown.</summary>
public class OtherClusterOptions
{
    private const string NameHint = "1 to 64 letters, digits, '.', '_' or '-'";

    /// <summary>What this cluster calls it. What came from there is kept under this name.</summary>
    [Required(ErrorMessage = NameHint)]
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = NameHint)]
    public string Name { get; set; } = "";

    /// <summary>Where any of its nodes answers: one absolute http(s) URL, or several separated by spaces, which are tried in turn.</summary>
    [Required(ErrorMessage = "an absolute URL such as http://node.example:7070, or several separated by spaces")]
    public string Url { get; set; } = "";

    /// <summary>A token that it knows, with scope <c>node</c>. It is shown to the hosts of <see cref="Url"/> and to no other.</summary>
    /// <remarks>Default none. A secret: give it by environment (<c>FileTransfer__Sync__Upstreams__0__Token</c>) rather than by a file.</remarks>
    [RegularExpression("^[A-Za-z0-9._~+/=-]+$", ErrorMessage = "letters, digits and any of . _ ~ + / - =, nothing else")]
    public string? Token { get; set; }
}
