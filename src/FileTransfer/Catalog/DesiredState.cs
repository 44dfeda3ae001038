namespace FileTransfer.Catalog;

/// <summary>Which files a node wants to have, as conditions for statements: what its policies say, the open intents, and the loads that run.</summary>
public static class DesiredState
{
    /// <summary>The advisory lock that keeps the policies of <c>@node</c> as they are.</summary>
    public const string LockKey = "hashtextextended('filetransfer policies ' || @node, 0)";

    /// <summary>Keeps the policies of <c>@node</c> as they are until the transaction ends.</summary>
    public const string HoldSql = $"SELECT pg_advisory_xact_lock_shared({LockKey})";

    /// <summary>Whether a load that runs at <c>@node</c> wants the file of row <c>f</c>.</summary>
    public const string IsLoadedSql = """
        EXISTS (
            SELECT FROM filetransfer.load_files l JOIN filetransfer.loads USING (load_id)
            WHERE l.file_key = f.file_key AND node_id = @node AND ended_at IS NULL
        )
        """;

    /// <summary>Whether somebody asks <c>@node</c> for the file of row <c>f</c>: by an open intent, or a load.</summary>
    public const string IsAskedForSql = $"""
        (
            EXISTS (
                SELECT FROM filetransfer.intents i WHERE i.node_id = @node AND i.file_key = f.file_key AND i.ended_at IS NULL
            ) OR {IsLoadedSql}
        )
        """;

    /// <summary>The names of the loads that run at <c>@node</c> and want the file of row <c>f</c>, in one text; null where none does.</summary>
    public const string LoadsSql = """
        (
            SELECT string_agg(DISTINCT name, ', ') FROM filetransfer.load_files l JOIN filetransfer.loads USING (load_id)
            WHERE l.file_key = f.file_key AND node_id = @node AND ended_at IS NULL
        )
        """;

    /// <summary>Whether <c>@node</c> wants the file of row <c>f</c>: its policy does, or somebody asks for it.</summary>
    public const string WantsSql = $"(filetransfer.policy_wants(@node, f.bucket, f.location) OR {IsAskedForSql})";

    /// <summary>The same of a file that may not be in the feed yet: policies are about what is.</summary>
    public const string WantsByNowSql =
        $"(f.state = 'added' AND filetransfer.policy_wants(@node, f.bucket, f.location) OR {IsAskedForSql})";

    /// <summary>Keeps the policies of <paramref name="node"/> as they are until the transaction ends.</summary>
    public static Task HoldAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(HoldSql, new { node }, cancellationToken);
}
