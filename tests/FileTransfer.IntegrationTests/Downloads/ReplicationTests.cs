using System.Net;
using System.Net.Http.Json;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

public sealed class ReplicationTests
{
    [Fact]
    public async Task A_file_put_at_the_leader_is_on_every_follower_byte_for_byte()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var first = await cluster.StartFollowerAsync("b");
        var second = await cluster.StartFollowerAsync("c");
        byte[][] contents = [Content(1, 1), Content(2, 1023), Content(3, 1024), Content(4, 70_000), Content(5, 9_000_001)];

        for (var i = 0; i < contents.Length; i++)
        {
            var key = await leader.PutAsync(contents[i], $"file {i}");
            foreach (var node in new[] { first, second })
            {
                await TestCluster.StoredAsync(node, key);
                (await node.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(contents[i]);
            }
        }
    }

    [Thorough]
    [Fact]
    public async Task A_removed_file_is_gone_from_every_node_and_from_their_disks()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var key = await leader.PutAsync(Content(1, 5_000_000), "file");
        await TestCluster.StoredAsync(follower, key);

        (await leader.Http.DeleteAsync($"/v1/files/{key}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        foreach (var node in new[] { leader, follower })
        {
            await Eventually.HoldsAsync(
                async () => (await node.Http.GetAsync($"/download/{key}")).StatusCode == HttpStatusCode.NotFound,
                $"{node.Id} does not serve it"
            );
            await Eventually.HoldsAsync(
                () =>
                    Task.FromResult(
                        !Directory
                            .EnumerateFiles(Path.Combine(node.DataDirectory, "content"), "*", SearchOption.AllDirectories)
                            .Any()
                    ),
                $"{node.Id} has no bytes of it"
            );
        }
    }

    [Thorough]
    [Fact]
    public async Task A_file_registered_at_a_follower_is_wanted_there_and_comes_when_the_leader_gets_it()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var content = Content(1, 3000);
        var metadata = new FileMetadata(
            new ByteString([1]),
            new ByteString([2]),
            ByteString.FromUtf8("file"),
            (ulong)content.Length,
            ContentFingerprint.Of(content)
        );
        var key = metadata.ComputeKey();

        using var registered = await follower.Http.PutAsJsonAsync(
            $"/v1/files/{key}",
            new
            {
                owner = "0x01",
                bucket = "0x02",
                location = "file",
                size = content.Length,
                fingerprint = metadata.Fingerprint.ToString(),
            }
        );
        registered.StatusCode.ShouldBe(HttpStatusCode.Created);
        // A lane may just be finding out that nobody has it.
        (await follower.StateOfAsync(key.ToString())).ShouldBeOneOf("wanted", "downloading");

        (await leader.PutAsync(content, "file")).ShouldBe(key.ToString());
        await TestCluster.StoredAsync(follower, key.ToString());
    }

    internal static byte[] Content(int seed, int size)
    {
        var content = new byte[size];
        new Random(seed).NextBytes(content);
        return content;
    }
}
