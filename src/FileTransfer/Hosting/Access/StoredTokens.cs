using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Claims;
using System.Security.Cryptography;
using FileTransfer.Cluster;

namespace FileTransfer.Hosting.Access;

/// <summary>The tokens that were made while the cluster runs, as of a moment ago: owner of <c>filetransfer.tokens</c>.</summary>
/// <remarks>
/// No request waits for the database: they are read when one is made or revoked anywhere, and every <see cref="_period"/> in any case. What was
/// read last is valid while the database is away.
/// </remarks>
internal sealed partial class StoredTokens(Database database, NodePulse pulse, TimeProvider time, ILogger<StoredTokens> logger)
    : BackgroundService
{
    /// <summary>What scanners for secrets know a token by.</summary>
    public const string Prefix = "ft_";

    private const int RandomBytes = 32;

    /// <summary>Requests of a token end within 5 s after it was revoked, also where the notification is lost.</summary>
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan _useResolution = TimeSpan.FromMinutes(1);

    private static readonly NotificationChannel<string> _changed = new("filetransfer_tokens", name => name, name => name);

    private readonly AsyncAutoResetEvent _hint = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _uses = new(StringComparer.Ordinal);
    private volatile FrozenDictionary<string, Known> _known = FrozenDictionary<string, Known>.Empty;

    /// <summary>They may be others now, or one may have come to its end.</summary>
    public event Action? Looked;

    public ClaimsPrincipal? Find(ReadOnlySpan<byte> hash)
    {
        var now = time.GetUtcNow();
        if (!_known.TryGetValue(Convert.ToHexString(hash), out var known) || known.Token.NotAfter <= now)
        {
            return null;
        }

        _uses[known.Token.Name] = now;
        return known.Principal;
    }

    public async Task<IReadOnlyList<TokenResource>> AllAsync(CancellationToken cancellationToken) =>
        [.. (await RowsAsync(cancellationToken)).Select(row => row.ToResource())];

    /// <returns>Null where there is one of this name.</returns>
    public async Task<TokenCreated?> CreateAsync(
        string name,
        IReadOnlyList<string> scopes,
        IReadOnlyList<string> buckets,
        IReadOnlyList<string> owners,
        DateTimeOffset? notAfter,
        string by,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            INSERT INTO filetransfer.tokens (name, sha256, scopes, buckets, owners, created_by, not_after)
            VALUES (@name, @sha256, @scopes, @buckets, @owners, @by, @notAfter)
            ON CONFLICT (name) DO NOTHING
            """;
        var token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        var parameters = new
        {
            name,
            sha256 = SHA256.HashData(Encoding.UTF8.GetBytes(token)),
            scopes = scopes.ToArray(),
            buckets = buckets.ToArray(),
            owners = owners.ToArray(),
            by,
            notAfter = notAfter?.UtcDateTime,
        };
        var isNew = await database.ExecuteAsync(sql, parameters, cancellationToken) > 0;
        await ChangedAsync(name, cancellationToken);
        return isNew ? new TokenCreated(name, token, scopes, buckets, owners, notAfter) : null;
    }

    /// <returns>Whether it was there.</returns>
    public async Task<bool> RevokeAsync(string name, CancellationToken cancellationToken)
    {
        var sql = "DELETE FROM filetransfer.tokens WHERE name = @name";
        var wasThere = await database.ExecuteAsync(sql, new { name }, cancellationToken) > 0;
        await ChangedAsync(name, cancellationToken);
        return wasThere;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var changes = database.Notifications.Subscribe(_changed, _ => _hint.Set());
        await database.WaitUntilReadyAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Where nobody has made any, there is nothing to ask: the heartbeat says so.
        using var any = pulse.Ask("EXISTS (SELECT FROM filetransfer.tokens)");
        for (var isHinted = true; !stoppingToken.IsCancellationRequested; )
        {
            try
            {
                if (isHinted || any.Holds || _known.Count > 0)
                {
                    await ReadAsync(stoppingToken);
                    await NoteUsesAsync(stoppingToken);
                }
            }
            catch (Exception e) when (DatabaseReach.IsFailure(e))
            {
                Log.NotRead(logger, e.Message);
            }

            Looked?.Invoke();
            var hint = _hint.WaitAsync(_period, time, stoppingToken);
            await ((Task)hint).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            isHinted = hint.IsCompletedSuccessfully && await hint;
        }
    }

    private async Task ChangedAsync(string name, CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        database.Notifications.Send(_changed, name);
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await RowsAsync(cancellationToken);
        _known = rows.ToFrozenDictionary(row => Convert.ToHexString(row.Sha256), row => new Known(row, PrincipalOf(row)));
    }

    private Task<IReadOnlyList<Row>> RowsAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<Row>(
            """
            SELECT name, sha256, array_to_string(scopes, ' ') AS scopes, array_to_string(buckets, ' ') AS buckets,
                array_to_string(owners, ' ') AS owners, created_at, created_by, not_after, last_used_at
            FROM filetransfer.tokens ORDER BY name
            """,
            null,
            cancellationToken
        );

    private static ClaimsPrincipal PrincipalOf(Row row)
    {
        var principal = TokenTable.PrincipalOf(row.Name, null, Parts(row.Scopes).SelectMany(AccessScopes.ImpliedBy).Distinct());
        var identity = principal.Identities.Single();
        identity.AddClaims(Parts(row.Buckets).Select(bucket => new Claim(TokenRights.BucketClaim, bucket)));
        identity.AddClaims(Parts(row.Owners).Select(owner => new Claim(TokenRights.OwnerClaim, owner)));
        return principal;
    }

    /// <summary>Writes down when tokens were used, each once a minute at most.</summary>
    private async Task NoteUsesAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.tokens t SET last_used_at = used.at
            FROM unnest(@names::text[], @times::timestamptz[]) AS used (name, at)
            WHERE t.name = used.name AND (t.last_used_at IS NULL OR t.last_used_at < used.at - @resolution)
            """;
        var uses = _uses.ToArray();
        if (uses.Length > 0)
        {
            var parameters = new
            {
                names = uses.Select(use => use.Key).ToArray(),
                times = uses.Select(use => use.Value.UtcDateTime).ToArray(),
                resolution = _useResolution,
            };
            await database.ExecuteAsync(sql, parameters, cancellationToken);
            Array.ForEach(uses, use => _uses.TryRemove(use));
        }
    }

    private static string[] Parts(string list) => list.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private sealed class Row
    {
        public required string Name { get; init; }
        public required byte[] Sha256 { get; init; }
        public required string Scopes { get; init; }
        public required string Buckets { get; init; }
        public required string Owners { get; init; }
        public required DateTimeOffset CreatedAt { get; init; }
        public required string CreatedBy { get; init; }
        public DateTimeOffset? NotAfter { get; init; }
        public DateTimeOffset? LastUsedAt { get; init; }

        public TokenResource ToResource() =>
            new(Name, Parts(Scopes), Parts(Buckets), Parts(Owners), CreatedAt, CreatedBy, NotAfter, LastUsedAt);
    }

    private sealed record Known(Row Token, ClaimsPrincipal Principal);

    private static partial class Log
    {
        [LoggerMessage(
            1902,
            LogLevel.Debug,
            "Could not read the tokens of the database; those that were read before stay valid: {Reason}"
        )]
        public static partial void NotRead(ILogger logger, string reason);
    }
}
