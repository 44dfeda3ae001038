using System.Net;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Feed;

[Collection(SharedNodes.Name)]
public sealed class RemovalTests(RunningCluster nodes)
{
    [Fact]
    public async Task A_removal_can_be_repeated_and_is_told_of()
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.StoreAsync(file);

        await RemoveAsync(file);
        await RemoveAsync(file);

        var resource = await nodes.Leader.GetJsonAsync($"/v1/files/{file.Key}");
        resource.GetProperty("fileState").GetString().ShouldBe("removed");
        resource.GetProperty("removedAt").ValueKind.ShouldBe(JsonValueKind.String);
        using var upload = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        (await upload.ShouldBeProblemAsync(404, "file-removed", file.Key)).GetProperty("state").GetString().ShouldBe("removed");
    }

    [Fact]
    public async Task A_removal_of_an_unknown_file_says_so()
    {
        var file = PlainFile.Random(5000);

        using var response = await nodes.Leader.Http.DeleteAsync($"/v1/files/{file.Key}");

        await response.ShouldBeProblemAsync(404, "file-unknown", file.Key);
    }

    [Fact]
    public async Task A_registered_file_that_has_no_content_yet_can_be_removed()
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.RegisterAsync(file);

        await RemoveAsync(file);

        using var upload = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        await upload.ShouldBeProblemAsync(404, "file-removed", file.Key);
    }

    [Fact]
    public async Task A_removed_file_can_be_added_again_at_any_moment_and_is_on_every_node_then()
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.StoreAsync(file);
        for (var round = 0; round < 10; round++)
        {
            if (round % 2 == 0)
            {
                await TestCluster.StoredAsync(nodes.Follower, file.Key);
            }

            await RemoveAsync(file);
            await nodes.Leader.StoreAsync(file);
            await file.ShouldBeStoredAsync(nodes.Leader);
        }

        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        await file.ShouldBeStoredAsync(nodes.Follower);
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task A_raw_content_brings_a_removed_file_back()
    {
        var content = PlainFile.RandomBytes(5000);
        var key = await nodes.Leader.PutAsync(content, "removed and put again");
        using (await nodes.Leader.Http.DeleteAsync($"/v1/files/{key}")) { }

        (await nodes.Leader.PutAsync(content, "removed and put again")).ShouldBe(key);

        await TestCluster.StoredAsync(nodes.Follower, key);
        (await nodes.Follower.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(content);
    }

    [Fact]
    public async Task A_content_that_two_files_share_outlives_the_removal_of_one()
    {
        var file = PlainFile.Random(5000);
        var other = new PlainFile(file.Content);
        await nodes.Leader.StoreAsync(file);
        await nodes.Leader.StoreAsync(other);
        await TestCluster.StoredAsync(nodes.Follower, other.Key);

        await RemoveAsync(file);

        await Eventually.HoldsAsync(
            async () => (await nodes.Leader.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("replicas").GetArrayLength() == 0,
            "the removal is done on both nodes"
        );
        await other.ShouldBeStoredAsync(nodes.Leader);
        await other.ShouldBeStoredAsync(nodes.Follower);
    }

    [Fact]
    public async Task A_file_removed_while_its_upload_comes_is_not_stored()
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.RegisterAsync(file);
        using var client = await RawConnection.OpenAsync(nodes.Leader);
        await client.SendHeadAsync(
            "POST",
            $"/upload/{file.Key}",
            ("Content-Length", $"{file.Framed.Length}"),
            ("Expect", "100-continue")
        );
        (await client.ReadAnswerAsync()).Status.ShouldBe(100);
        await client.SendAsync(file.Framed[..2000]);

        await RemoveAsync(file);
        await client.SendAsync(file.Framed[2000..]);

        var answer = await client.ReadAnswerAsync();
        answer.Status.ShouldBe(404);
        JsonDocument
            .Parse(answer.Body)
            .RootElement.GetProperty("type")
            .GetString()
            .ShouldBe("urn:filetransfer:problem:file-removed");
        using var download = await nodes.Leader.Http.GetAsync($"/download/{file.Key}");
        await download.ShouldBeProblemAsync(404, "file-removed");
    }

    private async Task RemoveAsync(PlainFile file)
    {
        using var response = await nodes.Leader.Http.DeleteAsync($"/v1/files/{file.Key}");
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }
}
