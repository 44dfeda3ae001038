namespace FileTransfer.Contracts;

/// <summary>A token to be made.</summary>
/// <param name="Name">1 to 64 letters, digits, '.', '_' or '-'.</param>
/// <param name="Scopes">Any of <c>read</c>, <c>write</c>, <c>node</c>, <c>admin</c>.</param>
/// <param name="NotAfter">From when on it is refused; never when left out.</param>
/// <param name="Buckets" example="[&quot;0x22&quot;]">Only requests about these buckets, in hex; about anything when left out.</param>
/// <param name="Owners" example="[&quot;0x01&quot;]">Only requests about files of these owners, in hex; of anybody when left out.</param>
public sealed record TokenRequest(
    string? Name,
    IReadOnlyList<string>? Scopes,
    DateTimeOffset? NotAfter = null,
    IReadOnlyList<string>? Buckets = null,
    IReadOnlyList<string>? Owners = null
);

/// <summary>A token that was made, told this once.</summary>
public sealed record TokenCreated(
    string Name,
    string Token,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Buckets,
    IReadOnlyList<string> Owners,
    DateTimeOffset? NotAfter
);

/// <summary>A token that the cluster knows, without the token itself.</summary>
/// <param name="LastUsedAt">To the minute, at any node; null where it was not used yet.</param>
public sealed record TokenResource(
    string Name,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Buckets,
    IReadOnlyList<string> Owners,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset? NotAfter,
    DateTimeOffset? LastUsedAt
);

/// <summary>Who a caller is to the node that answers.</summary>
/// <param name="Name">Of its token, certificate or key; <c>anonymous</c> where none is asked for.</param>
/// <param name="Node">The one node that it can be; null where it may be any.</param>
/// <param name="Scopes">Those of the token, and what they imply.</param>
/// <param name="Buckets">It may ask about these buckets alone, in hex; about anything where there are none.</param>
/// <param name="Owners">The same for owners of files.</param>
public sealed record CallerResource(
    string Name,
    string? Node,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Buckets,
    IReadOnlyList<string> Owners
);

/// <summary>The tokens that were made at run time; those of a node's configuration are in <c>GET /v1/configuration</c>.</summary>
public sealed record TokensResource(IReadOnlyList<TokenResource> Tokens);
