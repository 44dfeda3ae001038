namespace FileTransfer.Uploads.Ingest;

/// <summary>Who has a file: SQL about the row <c>f</c> of a file.</summary>
internal static class Acknowledgements
{
    /// <summary>A node has it stored, or has read that it was added and does not want it.</summary>
    private const string NodeHas = """
        coalesce(
            (SELECT r.state = 'stored' FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND r.file_key = f.file_key),
            (SELECT p.sequence >= f.sequence FROM filetransfer.feed_positions p
                WHERE p.node_id = n.node_id AND p.bin = get_byte(f.file_key, 0) / 16),
            false
        )
        """;

    /// <summary>The cluster that is shipped to has applied its Add.</summary>
    private const string FollowerHas = "p.acknowledged >= f.sequence AND NOT p.rebuild_due";

    private const string FollowersOfBin = "filetransfer.follower_bins p WHERE p.bin = get_byte(f.file_key, 0) / 16";

    /// <summary>The names of those who have it.</summary>
    public const string Given = $"""
        SELECT n.node_id AS name FROM filetransfer.nodes n WHERE {NodeHas}
        UNION ALL SELECT 'follower ' || p.follower FROM {FollowersOfBin} AND {FollowerHas}
        """;

    /// <summary>Those who do not have it yet.</summary>
    public const string Due = $"""
        SELECT FROM filetransfer.nodes n WHERE NOT {NodeHas}
        UNION ALL SELECT FROM {FollowersOfBin} AND NOT ({FollowerHas})
        """;
}
