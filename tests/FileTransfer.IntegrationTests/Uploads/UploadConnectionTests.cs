using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Uploads;

/// <summary>Uploads as they look on the socket: what is answered before the body, and what a client that goes away leaves behind.</summary>
[Collection(SharedNodes.Name)]
public sealed class UploadConnectionTests(RunningCluster nodes)
{
    private const string Gibibyte = "1073741824";

    [Fact]
    public async Task An_upload_of_an_unregistered_key_is_answered_without_its_body()
    {
        var file = PlainFile.Random(5000);
        using var client = await RawConnection.OpenAsync(nodes.Leader);
        await client.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", Gibibyte));
        await client.SendAsync(file.FramesOf([0]));

        var answer = await client.ReadAnswerAsync();

        answer.Status.ShouldBe(404);
        Encoding.UTF8.GetString(answer.Body).ShouldContain("urn:filetransfer:problem:file-unknown");
    }

    [Theory]
    [InlineData("unregistered", 404)]
    [InlineData("stored", 200)]
    [InlineData("same content", 200)]
    [InlineData("removed", 404)]
    public async Task A_client_that_waits_for_leave_to_send_is_not_given_it_where_the_body_is_not_needed(string state, int status)
    {
        var file = PlainFile.Random(5000);
        switch (state)
        {
            case "stored":
                await nodes.Leader.StoreAsync(file);
                break;
            case "same content":
                await nodes.Leader.StoreAsync(file);
                file = new PlainFile(file.Content);
                await nodes.Leader.RegisterAsync(file);
                break;
            case "removed":
                await nodes.Leader.StoreAsync(file);
                using (await nodes.Leader.Http.DeleteAsync($"/v1/files/{file.Key}")) { }

                break;
        }

        using var client = await RawConnection.OpenAsync(nodes.Leader);
        await client.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", Gibibyte), ("Expect", "100-continue"));

        (await client.ReadAnswerAsync()).Status.ShouldBe(status);

        if (status == 200)
        {
            await file.ShouldBeStoredAsync(nodes.Leader);
            await TestCluster.StoredAsync(nodes.Follower, file.Key);
        }
    }

    [Fact]
    public async Task A_client_that_waits_for_leave_to_send_gets_it_when_the_body_is_needed()
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
        await client.SendAsync(file.Framed);
        (await client.ReadAnswerAsync()).Status.ShouldBe(200);

        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task A_faulty_frame_is_answered_without_the_rest_of_the_body()
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.RegisterAsync(file);
        using var client = await RawConnection.OpenAsync(nodes.Leader);
        await client.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", Gibibyte));
        await client.SendAsync(PlainFile.Frame(77, new byte[1024]));

        (await client.ReadAnswerAsync()).Status.ShouldBe(422);
    }

    [Fact]
    public async Task Clients_that_go_away_in_the_middle_of_an_upload_leave_no_handles_behind()
    {
        var file = PlainFile.Random(2_000_000);
        await nodes.Leader.RegisterAsync(file);
        var before = OpenFiles();

        for (var round = 0; round < 10; round++)
        {
            using var client = await RawConnection.OpenAsync(nodes.Leader);
            await client.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", $"{file.Framed.Length}"));
            await client.SendAsync(file.Framed[..((100 + round) * 1032 + 17)]);
            await Eventually.HoldsAsync(() => Task.FromResult(OpenFiles().Count > before.Count), "the upload is at work");
            if (round % 2 == 0)
            {
                client.Reset();
            }
            else
            {
                client.EndSending();
            }

            await Eventually.HoldsAsync(() => Task.FromResult(OpenFiles().SequenceEqual(before)), "its files are closed");
        }

        Directory
            .EnumerateDirectories(Path.Combine(nodes.Leader.DataDirectory, "partial"), file.Key[2..] + ".*")
            .Count()
            .ShouldBe(1, "one partial is kept for a retry");

        // How much of it arrived before its end did is the server's to say, so all of it comes again.
        using var response = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        await response.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task Clients_that_go_away_in_the_middle_of_a_raw_upload_leave_nothing_behind()
    {
        var before = OpenFiles();
        for (var round = 0; round < 5; round++)
        {
            using var client = await RawConnection.OpenAsync(nodes.Leader);
            await client.SendHeadAsync("POST", "/v1/files?owner=0x01&bucket=0x02&location=x", ("Content-Length", Gibibyte));
            await client.SendAsync(new byte[1_000_000]);
            await Eventually.HoldsAsync(() => Task.FromResult(OpenFiles().Count > before.Count), "the upload is at work");
            client.Reset();
            await Eventually.HoldsAsync(() => Task.FromResult(OpenFiles().SequenceEqual(before)), "its files are closed");
        }

        Directory.EnumerateDirectories(Path.Combine(nodes.Leader.DataDirectory, "partial"), "incoming.*").ShouldBeEmpty();
    }

    [Fact]
    public async Task Clients_that_go_away_in_the_middle_of_a_download_leave_no_handles_and_no_sockets_behind()
    {
        var file = PlainFile.Random(10_000_000);
        await nodes.Leader.StoreAsync(file);
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        await GoAwayAsync(file); // whatever is opened once and kept is open now
        await Eventually.HoldsAsync(() => Task.FromResult(OpenFiles().Count == 0), "its files are closed");
        var sockets = OpenSockets();

        await GoAwayAsync(file);

        await Eventually.HoldsAsync(() => Task.FromResult(OpenFiles().Count == 0), "its files are closed");
        await Eventually.HoldsAsync(() => Task.FromResult(OpenSockets() <= sockets), "its sockets are closed");
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    private async Task GoAwayAsync(PlainFile file)
    {
        foreach (var path in (string[])[$"/download/{file.Key}", $"/v1/files/{file.Key}/content"])
        {
            var clients = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => RawConnection.OpenAsync(nodes.Leader)));
            foreach (var client in clients)
            {
                await client.SendHeadAsync("GET", path);
                await client.ReceiveSomeAsync(50_000);
            }

            OpenFiles().Count.ShouldBeGreaterThan(0, "the downloads are at work");
            foreach (var client in clients)
            {
                client.Reset();
            }
        }
    }

    /// <summary>What the leader has open below its data folder, but for its lock and its ledger.</summary>
    private List<string> OpenFiles() =>
        [
            .. Links()
                .Where(link =>
                    link.StartsWith(nodes.Leader.DataDirectory, StringComparison.Ordinal)
                    && !link.EndsWith(".lock", StringComparison.Ordinal)
                    && !link.Contains("/small.db", StringComparison.Ordinal)
                )
                .Order(StringComparer.Ordinal),
        ];

    private int OpenSockets() => Links().Count(link => link.StartsWith("socket:", StringComparison.Ordinal));

    private IEnumerable<string> Links()
    {
        foreach (var handle in new DirectoryInfo($"/proc/{nodes.Leader.Pid}/fd").EnumerateFileSystemInfos())
        {
            string? link = null;
            try
            {
                link = handle.LinkTarget;
            }
            catch (IOException)
            {
                // Closed between the listing and the look.
            }

            if (link is not null)
            {
                yield return link;
            }
        }
    }
}
