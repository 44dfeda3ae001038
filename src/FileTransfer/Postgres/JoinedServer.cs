namespace FileTransfer.Postgres;

/// <summary>
/// The server that this node has joined at, which all its connections go to. Of several hosts in a connection string two may take writes: a
/// standby was promoted while its primary lives. A host that refuses one connection must not make the node read one catalog and hold its
/// locks in another.
/// </summary>
public sealed class JoinedServer
{
    /// <summary>Names the server that answers; null for a standby, where nothing is written.</summary>
    internal const string Identity = """
        CASE WHEN NOT pg_is_in_recovery() THEN concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
            ('x' || substring(pg_walfile_name(pg_current_wal_flush_lsn()) FROM 1 FOR 8))::bit(32)::bigint) END
        """;

    private volatile string? _identity;

    /// <summary>From now on connections to another server are refused.</summary>
    public void Set(CatalogIdentity server) =>
        _identity = string.Create(CultureInfo.InvariantCulture, $"{server.SystemIdentifier}/{server.Timeline}");

    /// <summary>The node has not joined: any server will do.</summary>
    public void Clear() => _identity = null;

    /// <exception cref="OtherServerException">It is another server.</exception>
    internal void Require(string? identity)
    {
        if (_identity is { } joined && identity is not null && identity != joined)
        {
            throw new OtherServerException(joined, identity);
        }
    }
}

/// <summary>A connection went to another server than the one that the node has joined at. The next one may go right.</summary>
internal sealed class OtherServerException(string joined, string found)
    : NpgsqlException(
        $"the server that answered (system and timeline {found}) is not the one that this node has joined at ({joined}); both take writes: stop the older one"
    )
{
    public override bool IsTransient => true;
}
