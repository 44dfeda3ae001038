namespace FileTransfer.Hosting.Access;

/// <summary>Who may call. Section <c>FileTransfer</c>; a change of the file takes effect without a restart.</summary>
public sealed class AccessOptions
{
    public const string Section = "FileTransfer";

    /// <summary>The tokens that are accepted. Several may be valid at once, so that one can be replaced without an interruption.</summary>
    /// <remarks>Default none, which is allowed on loopback addresses only, or with <see cref="AllowAnonymous"/>.</remarks>
    public IList<TokenOptions> Tokens { get; } = [];

    /// <summary>Whoever reaches this node may do everything.</summary>
    /// <remarks>Default false: without it a node with neither tokens nor mutual TLS listens on loopback addresses only.</remarks>
    public bool AllowAnonymous { get; set; }

    /// <summary>PEM file of the authority that signs the certificates of those who may call (mutual TLS).</summary>
    /// <remarks>
    /// Default none. Needed where an https endpoint of section <c>Kestrel</c> with <c>ClientCertificateMode</c>
    /// <c>RequireCertificate</c> stands in for tokens: an authority that the system trusts signs for strangers too.
    /// </remarks>
    public string? ClientAuthority { get; set; }

    /// <summary>Client certificates that count no more: serial numbers or SHA-256, in hex.</summary>
    /// <remarks>Default none. A change takes effect without a restart, also on connections that are open.</remarks>
    public IList<string> RevokedCertificates { get; } = [];

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        for (var i = 0; i < Tokens.Count; i++)
        {
            var (key, token) = ($"{Section}:Tokens:{i}", Tokens[i]);
            if (string.IsNullOrEmpty(token.Sha256) == string.IsNullOrEmpty(token.Certificate))
            {
                yield return $"{key}:Sha256 is {(token.Certificate is null ? "missing" : "given beside Certificate")}; write 64 hex digits, as `printf %s TOKEN | sha256sum` prints them, or Certificate with a name of one instead.";
            }

            if (token.Scopes.Count == 0 && token.Node is null)
            {
                yield return $"{key}:Scopes is empty; write {key}:Scopes:0 as read, write, node or admin.";
            }

            for (var j = 0; j < token.Scopes.Count; j++)
            {
                if (!AccessScopes.Scopes.Contains(token.Scopes[j], StringComparer.Ordinal))
                {
                    yield return $"{key}:Scopes:{j} is '{token.Scopes[j]}'; write read, write, node or admin.";
                }
            }

            var earlier = Tokens
                .Take(i)
                .FirstOrDefault(other =>
                    token.Certificate is null && string.Equals(other.Sha256, token.Sha256, StringComparison.OrdinalIgnoreCase)
                );
            if (earlier is not null)
            {
                yield return $"{key}:Sha256 is the same as that of '{earlier.Name}'; write each token once.";
            }
        }
    }
}
