using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>An upload of right bytes over a content that the disk has damaged.</summary>
[Collection(SharedNodes.Name)]
public sealed class UploadsOverDamageTests(RunningCluster nodes)
{
    [Theory]
    [InlineData(false, 20_000)]
    [InlineData(false, DamageScene.Large)]
    [InlineData(true, 20_000)]
    [InlineData(true, DamageScene.Large)]
    public async Task An_upload_of_right_bytes_takes_the_place_of_wrong_ones(bool raw, int size)
    {
        var file = await nodes.StoredAtBothAsync(size);
        StoredOnDisk.Flip(nodes.Leader, file.Fingerprint, 17);
        if (raw)
        {
            using var body = new ByteArrayContent(file.Content);
            var owner = PlainFile.Hex(file.Owner);
            using var put = await nodes.Leader.Http.PostAsync(
                $"/v1/files?owner={owner}&bucket={PlainFile.Hex(file.Bucket)}&locationHex={PlainFile.Hex(file.Location)}",
                body
            );
            put.IsSuccessStatusCode.ShouldBeTrue(await put.Content.ReadAsStringAsync());
        }
        else
        {
            using var put = await nodes.Leader.UploadAsync(file.Key, file.Framed);
            await put.ShouldBeEmptyOkAsync();
        }

        (await nodes.Leader.ReadAsync(file)).ShouldBe(file.Content);
        (await nodes.Leader.StateOfAsync(file.Key)).ShouldBe("stored");
    }

    [Fact]
    public async Task An_upload_that_ends_before_the_nodes_own_repair_is_read_at_once_and_whole()
    {
        var file = await nodes.StoredAtBothAsync(DamageScene.Large);
        using var limit = await nodes.Follower.Http.PutAsJsonAsync("/v1/limits", new { upload = "400KiB/s" });
        limit.IsSuccessStatusCode.ShouldBeTrue(await limit.Content.ReadAsStringAsync());
        try
        {
            StoredOnDisk.Flip(nodes.Leader, file.Fingerprint, 17);
            (await nodes.Leader.ComplainAsync(file.Key)).GetProperty("finding").GetString().ShouldBe("damaged");
            await Eventually.HoldsAsync(
                async () =>
                {
                    using var head = await nodes.Leader.SendAsync(HttpMethod.Head, $"/v1/files/{file.Key}/content");
                    return head.IsSuccessStatusCode;
                },
                "what has come again is readable"
            );
            (await nodes.Leader.StateOfAsync(file.Key)).ShouldBe("downloading");

            using var put = await nodes.Leader.UploadAsync(file.Key, file.Framed);
            await put.ShouldBeEmptyOkAsync();

            (await nodes.Leader.ReadAsync(file)).ShouldBe(file.Content);
        }
        finally
        {
            using var unlimited = await nodes.Follower.Http.DeleteAsync("/v1/limits");
        }
    }

    [Fact]
    public async Task A_second_key_of_a_content_that_is_damaged_here_is_stored_right_at_both_nodes()
    {
        var first = await nodes.StoredAtBothAsync(20_000);
        var second = new PlainFile(first.Content);
        StoredOnDisk.Flip(nodes.Leader, first.Fingerprint, 19_999);
        StoredOnDisk.Flip(nodes.Follower, first.Fingerprint, 0);
        await nodes.Leader.StoreAsync(second);

        foreach (var node in (NodeProcess[])[nodes.Leader, nodes.Follower])
        {
            foreach (var file in (PlainFile[])[first, second])
            {
                // The first stays called stored until its node has looked into the second: a read meanwhile is cut or refused.
                await Eventually.HoldsAsync(
                    async () =>
                    {
                        (await node.ReadAsync(file)).ShouldBe(file.Content);
                        return true;
                    },
                    $"{file.Key} is right at {node.Id}"
                );
            }
        }
    }
}
