using System.Net;
using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Npgsql;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Once a Remove is committed, no download of that Add ends as stored, and a later Add works again.</summary>
public sealed class RemovedStaysRemovedTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    private const int Size = 3_000_000;

    [Fact]
    public async Task A_file_removed_before_its_download_began_is_never_fetched()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = TestFile.Of(Size);
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "wanted", "no other node has it stored");

        await RemoveAsync(file);
        await GoneAsync(file);
        await source.OfferAsync(file);

        (await cluster.Follower.Http.GetAsync($"/download/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        source.Requests.ShouldBe(0);
    }

    [Theory]
    [InlineData(Size)]
    [InlineData(60_000)]
    public async Task A_file_removed_while_it_downloads_never_becomes_stored_and_leaves_nothing(int size)
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(size));
        source.BytesPerSecond = size / 20;
        await file.WantAtAsync(cluster.Follower);
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > size / 10), "it downloads");

        await RemoveAsync(file);

        await Eventually.HoldsAsync(
            () => Task.FromResult(source.Open == 0),
            "the transfer is ended",
            TimeSpan.FromSeconds(Showing.Of(small: 15, full: 3))
        );
        await GoneAsync(file);
        cluster.HasContentOf(file).ShouldBeFalse();
        cluster.HasPartialOf(file).ShouldBeFalse();
        (await cluster.Follower.Http.GetAsync($"/download/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_file_removed_between_its_last_byte_and_its_publication_is_not_published()
    {
        // The row is held by a transaction that removes it while the lane has all bytes and wants to publish.
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(60_000));
        // All bytes come at once when the row is held, so what waits for the row is the publication, not a report of progress.
        source.HoldFrom(1);
        await file.WantAtAsync(cluster.Follower);
        await Eventually.HoldsAsync(() => Task.FromResult(source.Requests > 0), "its bytes are asked for");
        await using (var connection = await cluster.Database.Pool.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var remove = new NpgsqlCommand(
                "UPDATE filetransfer.files SET state = 'removed', removed_at = now() WHERE file_key = $1",
                connection
            )
            {
                Parameters = { new() { Value = file.Key.ToArray() } },
            };
            await remove.ExecuteNonQueryAsync();
            await ReplicaTransitions.RemoveAsync(connection, file.Key, default);
            source.Release();
            await Eventually.HoldsAsync(
                () =>
                    cluster.Database.ScalarAsync<bool>(
                        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'b/lane%' AND wait_event_type = 'Lock')"
                    ),
                "a lane waits with its publication"
            );
            await Eventually.HoldsAsync(() => Task.FromResult(cluster.HasContentOf(file)), "its bytes are on disk");
            await transaction.CommitAsync();
        }

        await GoneAsync(file);
        await Eventually.HoldsAsync(() => Task.FromResult(!cluster.HasContentOf(file)), "its bytes are deleted");
        (await cluster.Follower.Http.GetAsync($"/download/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_file_removed_and_added_again_while_it_downloads_is_stored_in_the_end()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size));
        source.BytesPerSecond = Size / 20;
        await file.WantAtAsync(cluster.Follower);
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > Size / 10), "it downloads");

        await RemoveAsync(file);
        (await cluster.Leader.PutAsync(file.Content, file.Location)).ShouldBe(file.Key.ToString());

        // By a claim of its own: what the former Add had under way is over, and its source has no more say.
        await cluster.StoredAsync(file);
        source.Open.ShouldBe(0);
        source.BytesSent.ShouldBeLessThan(Size);
    }

    [Thorough]
    [Fact]
    public async Task A_stored_file_that_is_removed_and_added_again_and_again_ends_as_the_last_word_says()
    {
        var file = TestFile.Of(Size);
        for (var round = 0; round < 5; round++)
        {
            await cluster.Leader.PutAsync(file.Content, file.Location);
            if (round % 2 == 0)
            {
                await cluster.StoredAsync(file);
            }

            await RemoveAsync(file);
        }

        await GoneAsync(file);
        await cluster.Leader.PutAsync(file.Content, file.Location);
        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task Of_two_files_with_one_content_the_one_that_stays_keeps_it()
    {
        var first = TestFile.Of(100_000, seed: 77);
        var second = TestFile.Of(100_000, seed: 77);
        first.Fingerprint.ShouldBe(second.Fingerprint);
        first.Key.ShouldNotBe(second.Key);
        await cluster.Leader.PutAsync(first.Content, first.Location);
        await cluster.Leader.PutAsync(second.Content, second.Location);
        await cluster.StoredAsync(first);
        await cluster.StoredAsync(second);

        await RemoveAsync(first);
        await GoneAsync(first);
        await cluster.StoredAsync(second);

        await RemoveAsync(second);
        await GoneAsync(second);
        cluster.HasContentOf(second).ShouldBeFalse();
    }

    private async Task RemoveAsync(TestFile file) =>
        (await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

    /// <summary>The follower has no replica of it any more: its bytes were deleted before.</summary>
    private Task GoneAsync(TestFile file) =>
        Eventually.HoldsAsync(async () => await cluster.ReplicaAsync(file) is null, $"{file.Key} is gone from the follower");
}
