using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Npgsql;

namespace FileTransfer.IntegrationTests.Catalog.Replicas;

/// <summary>Every statement that writes a state outside the download lock, from every state, against the real table.</summary>
public sealed class ReplicaTransitionTests : IAsyncLifetime
{
    private QueueDatabase _db = null!;

    public async ValueTask InitializeAsync() => _db = await QueueDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Theory]
    [InlineData("want")]
    [InlineData("want added")]
    [InlineData("store upload")]
    [InlineData("remove")]
    [InlineData("lost")]
    [InlineData("wake")]
    [InlineData("upkeep")]
    public async Task A_state_is_entered_only_from_where_it_may_be(string writer)
    {
        foreach (var from in Enum.GetValues<ReplicaState>())
        {
            await EntersAsync(writer, from);
        }
    }

    private async Task EntersAsync(string writer, ReplicaState from)
    {
        var file = await _db.WantAsync();
        await _db.Test.ExecuteAsync(
            $"""
            UPDATE filetransfer.replicas SET state = '{ReplicaTransitions.NameOf(from)}', epoch = 7, next_attempt_at = 'infinity'
            WHERE node_id = 'b' AND file_key = {file.KeySql}
            """
        );

        await using (var connection = await _db.Database.Pool.OpenConnectionAsync())
        {
            await WriteAsync(writer, connection, file);
        }

        var expected = Expected(writer, from);
        (await _db.StateAsync(file)).ShouldBe(ReplicaTransitions.NameOf(expected), $"from {from}");
        if (expected != from)
        {
            // An upload of what is being removed wants it first.
            var isUploadedAgain = (from, expected) == (ReplicaState.Removing, ReplicaState.Stored);
            ReplicaTransitions.IsAllowed(isUploadedAgain ? ReplicaState.Wanted : from, expected).ShouldBeTrue();
            // A download of before is fenced wherever one may still run; the others leave none.
            var fences = writer is "want" or "want added" or "store upload" or "remove" or "lost";
            (await _db.ValueAsync<long>(file, "epoch")).ShouldBe(
                isUploadedAgain ? 9
                : fences ? 8
                : 7
            );
        }
    }

    [Fact]
    public async Task An_unknown_state_cannot_be_written()
    {
        var file = await _db.WantAsync();
        var fault = await Should.ThrowAsync<PostgresException>(() =>
            _db.Test.ExecuteAsync($"UPDATE filetransfer.replicas SET state = 'lost' WHERE file_key = {file.KeySql}")
        );
        fault.SqlState.ShouldBe(PostgresErrorCodes.CheckViolation);
    }

    private static ReplicaState Expected(string writer, ReplicaState from) =>
        (writer, from) switch
        {
            ("want" or "want added", ReplicaState.Removing) => ReplicaState.Wanted,
            ("want", ReplicaState.Failed) => ReplicaState.Wanted,
            ("store upload", not ReplicaState.Stored) => ReplicaState.Stored,
            ("remove", _) => ReplicaState.Removing,
            ("lost", ReplicaState.Stored) => ReplicaState.Wanted,
            ("wake", ReplicaState.Failed) => ReplicaState.Wanted,
            ("upkeep", ReplicaState.Downloading) => ReplicaState.Wanted,
            _ => from,
        };

    private async Task WriteAsync(string writer, NpgsqlConnection connection, TestFile file)
    {
        switch (writer)
        {
            case "want":
                await ReplicaTransitions.WantAsync(connection, _db.Node, [file.Key], waitsForUpload: false, default);
                break;
            case "want added":
                await ReplicaTransitions.WantAddedAsync(connection, _db.Node, [file.Key], default);
                break;
            case "store upload":
                var record = await FileCatalog.FindAsync(connection, file.Key, default);
                await ReplicaTransitions.StoreUploadsAsync(connection, _db.Node, [record!], default);
                break;
            case "remove":
                await ReplicaTransitions.RemoveAsync(connection, file.Key, default);
                break;
            case "lost":
                await new ReplicaTransitions(_db.Database).MarkMissingAsync(_db.Node, file.Fingerprint, "lost", default);
                break;
            case "wake":
                await using (var command = new NpgsqlCommand(ReplicaTransitions.WakeSql, connection))
                {
                    command.Parameters.AddWithValue("node", "a");
                    command.Parameters.AddWithValue("keys", new[] { file.Key.ToArray() });
                    await command.ExecuteNonQueryAsync();
                }

                break;
            default:
                await _db.Queue.MaintainAsync(connection, TimeSpan.FromMinutes(5), default);
                break;
        }
    }
}
