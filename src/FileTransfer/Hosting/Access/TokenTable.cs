using System.Security.Claims;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Primitives;

namespace FileTransfer.Hosting.Access;

/// <summary>The tokens that are valid now. Follows the configuration while the process runs.</summary>
/// <remarks>A change that is faulty, or that would leave no token at all, is refused and what was valid stays valid.</remarks>
internal sealed partial class TokenTable : IDisposable
{
    /// <summary>Stands for whoever calls a node that asks for no token.</summary>
    public static readonly ClaimsPrincipal Anyone = PrincipalOf(AccessScopes.Anonymous, null, AccessScopes.Scopes);

    private readonly IOptionsFactory<AccessOptions> _options;
    private readonly StoredTokens _stored;
    private readonly ILogger _logger;
    private readonly IDisposable _changes;
    private volatile Entry[] _entries;
    private volatile HashSet<string> _revoked = [];

    public TokenTable(
        IOptionsFactory<AccessOptions> options,
        IConfiguration configuration,
        StoredTokens stored,
        ILogger<TokenTable> logger
    )
    {
        _stored = stored;
        _options = options;
        _logger = logger;
        _entries = Read();
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>The configuration was read again.</summary>
    public event Action? Changed;

    public bool IsEmpty => _entries.Length == 0;

    /// <summary>Whether tokens say which node's they are: then no other proves a node's name.</summary>
    public bool NamesNodes => Array.Exists(_entries, entry => NodeOf(entry.Principal) is not null);

    /// <summary>The one node that a caller can be; null where it may be any.</summary>
    public static string? NodeOf(ClaimsPrincipal holder) => holder.FindFirst(AccessScopes.NodeClaim)?.Value;

    public ClaimsPrincipal? Find(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        ClaimsPrincipal? found = null;
        // All of them, always: how long it takes tells nothing about which one matched.
        foreach (var entry in _entries)
        {
            if (entry.Certificate is null && CryptographicOperations.FixedTimeEquals(hash, entry.Hash))
            {
                found = entry.Principal;
            }
        }

        return found ?? _stored.Find(hash);
    }

    /// <summary>Who shows a certificate, as an entry names it, or as it says itself; null where neither does.</summary>
    public ClaimsPrincipal? Find(X509Certificate2 certificate)
    {
        var known = CertificateNames.Of(certificate);
        return Array.Find(_entries, entry => known.Names.Contains(entry.Certificate, StringComparer.OrdinalIgnoreCase))
                is { } entry
                ? entry.Principal
            : known.Node is null && known.Scopes.Count == 0 ? null
            : PrincipalOf(
                certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false),
                known.Node,
                ScopesOf(known.Node, known.Scopes)
            );
    }

    public bool IsRevoked(X509Certificate2 certificate)
    {
        var known = CertificateNames.Of(certificate);
        return _revoked.Contains(known.Serial) || _revoked.Overlaps(known.Names);
    }

    /// <summary>The answer to one that asks whether this node, which is at <paramref name="here"/>, knows its token; null where it does not.</summary>
    public string? Prove(string nonce, string asks, Uri here) =>
        Array.Find(_entries, entry => entry.Certificate is null && PeerProof.AreEqual(asks, PeerProof.Asks(entry.Hash, nonce)))
            is { } known
            ? PeerProof.Answers(known.Hash, nonce, here)
            : null;

    public void Dispose() => _changes.Dispose();

    private Entry[] Read()
    {
        var access = _options.Create(Options.DefaultName);
        _revoked = new(
            access.RevokedCertificates.Select(one => one.Replace(":", "", StringComparison.Ordinal)),
            StringComparer.OrdinalIgnoreCase
        );
        return
        [
            .. access.Tokens.Select(token => new Entry(
                Convert.FromHexString(token.Sha256),
                token.Certificate,
                PrincipalOf(token.Name, token.Node, ScopesOf(token.Node, token.Scopes))
            )),
        ];
    }

    private static IEnumerable<string> ScopesOf(string? node, IEnumerable<string> scopes) =>
        (node is null ? scopes : scopes.Append(AccessScopes.Node)).SelectMany(AccessScopes.ImpliedBy).Distinct();

    internal static ClaimsPrincipal PrincipalOf(string name, string? node, IEnumerable<string> scopes) =>
        new(
            new ClaimsIdentity(
                [
                    new Claim(ClaimTypes.Name, name),
                    .. node is null ? Array.Empty<Claim>() : [new Claim(AccessScopes.NodeClaim, node)],
                    .. scopes.Select(scope => new Claim(AccessScopes.Claim, scope)),
                ],
                BearerTokens.SchemeName
            )
        );

    private void Reload()
    {
        try
        {
            var entries = Read();
            if (entries.Length == 0 && _entries.Length > 0)
            {
                Log.ChangeRefused(
                    _logger,
                    "FileTransfer:Tokens is empty, or its file is not JSON now; restart to do without tokens."
                );
                return;
            }

            if (!entries.Select(entry => entry.Text).SequenceEqual(_entries.Select(entry => entry.Text)))
            {
                _entries = entries;
                Log.Changed(_logger, string.Join(", ", entries.Select(entry => entry.Principal.Identity!.Name)));
            }

            Changed?.Invoke();
        }
        catch (Exception e)
        {
            // Thrown into the configuration's change callback it would take the process down.
            Log.ChangeRefused(_logger, e is OptionsValidationException refused ? string.Join(" ", refused.Failures) : e.Message);
        }
    }

    private sealed record Entry(byte[] Hash, string? Certificate, ClaimsPrincipal Principal)
    {
        public string Text =>
            $"{Convert.ToHexString(Hash)} {Certificate} {string.Join(' ', Principal.Claims.Select(claim => claim.Value))}";
    }

    private static partial class Log
    {
        [LoggerMessage(1900, LogLevel.Information, "Tokens changed; valid now: {Names}")]
        public static partial void Changed(ILogger logger, string names);

        [LoggerMessage(1901, LogLevel.Error, "Rejected a change of the tokens; the previous ones stay valid: {Reason}")]
        public static partial void ChangeRefused(ILogger logger, string reason);
    }
}
