using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A replica as its row has it, whatever the node has done with the file.</summary>
internal sealed record ForgedReplica(string Node, ReplicaState State)
{
    public int Epoch { get; init; } = 1;

    public int Attempts { get; init; }

    public bool IsPinned { get; init; }

    public string? Reason { get; init; }

    /// <summary>In SQL.</summary>
    public string NextAttemptAt { get; init; } = "NULL";

    /// <summary>In SQL.</summary>
    public string ChangedAt { get; init; } = "clock_timestamp()";

    /// <summary>One statement for all of the files.</summary>
    public string SqlOf(params IEnumerable<TestFile> files)
    {
        // A column that came later is named only where it matters: the node may still be bringing its schema up to date.
        var (pinned, isPinned) = IsPinned ? (", pinned", ", true") : ("", "");
        var reason = Reason is null ? "NULL" : $"'{Reason}'";
        var keys = string.Join(',', files.Select(file => file.KeySql));
        return $"""
            INSERT INTO filetransfer.replicas (node_id, file_key, state, epoch, attempts{pinned}, reason, next_attempt_at, changed_at)
            SELECT '{Node}', key, '{ReplicaTransitions.NameOf(
                State
            )}', {Epoch}, {Attempts}{isPinned}, {reason}, {NextAttemptAt}, {ChangedAt}
            FROM unnest(ARRAY[{keys}]) AS key
            """;
    }

    public Task AddAsync(TestDatabase database, params IEnumerable<TestFile> files) => database.ExecuteAsync(SqlOf(files));
}
