using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Hosting.Access;

/// <summary>One accepted token, known by its hash: <c>printf %s TOKEN | sha256sum</c>.</summary>
public sealed class TokenOptions
{
    /// <summary>Whose token this is; appears in logs. 1 to 64 letters, digits, '.', '_' or '-'.</summary>
    [Required(ErrorMessage = "a name of 1 to 64 letters, digits, '.', '_' or '-'")]
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = "a name of 1 to 64 letters, digits, '.', '_' or '-'")]
    public string Name { get; set; } = "";

    /// <summary>The one node whose token this is: it is accepted with that node's id in <c>FileTransfer-Node</c>, and counts as scope <c>node</c>.</summary>
    /// <remarks>Default none. Where any token names its node, a node's share of the bandwidth goes to that token alone; else to whoever has scope <c>node</c> and names a node of the cluster.</remarks>
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = "the FileTransfer:NodeId of a node")]
    public string? Node { get; set; }

    /// <summary>SHA-256 of the token's characters, 64 hex digits. The token itself is never configured.</summary>
    [RegularExpression(
        "^[0-9A-Fa-f]{64}$",
        ErrorMessage = "64 hex digits, as `printf %s TOKEN | sha256sum` prints them: the hash, never the token itself"
    )]
    public string Sha256 { get; set; } = "";

    /// <summary>Instead of a token, a client certificate: a DNS name or URI among its subject alternative names, or its SHA-256 in hex.</summary>
    /// <remarks>Default none. It counts on https endpoints that ask for one, and where <c>FileTransfer:ClientAuthority</c> has signed it.</remarks>
    public string? Certificate { get; set; }

    /// <summary>What the token may do: any of <c>read</c>, <c>write</c>, <c>node</c>, <c>admin</c>.</summary>
    /// <remarks>At least one, unless <see cref="Node"/> is given. <c>admin</c> implies all, <c>write</c> and <c>node</c> imply <c>read</c>.</remarks>
    public IList<string> Scopes { get; } = [];
}
