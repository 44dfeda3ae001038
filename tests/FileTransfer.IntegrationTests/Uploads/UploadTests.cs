using System.Net;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Uploads;

[Collection(SharedNodes.Name)]
public sealed class UploadTests(RunningCluster nodes)
{
    private const int FiveChunks = (4 * 1024) + 700;
    private const int Large = 10_000_000;

    public static TheoryData<int> Sizes => [1, 23, 24, 1023, 1024, 1025, FiveChunks, 64 * 1024, 300_001];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Frames_are_taken_in_any_order(int size)
    {
        var file = PlainFile.Random(size);
        await nodes.Leader.RegisterAsync(file);

        using var response = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(file.ShuffledIds()));

        await response.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task The_same_chunk_twice_with_the_same_bytes_is_fine()
    {
        var file = PlainFile.Random(FiveChunks);
        await nodes.Leader.RegisterAsync(file);

        using var response = await nodes.Leader.UploadAsync(file.Key, file.FramesOf([0, 1, 1, 0, 3, 2, 3, 4]));

        await response.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_taken()
    {
        var file = PlainFile.Random(300_001);
        await nodes.Leader.RegisterAsync(file);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/upload/{file.Key}");
        request.Headers.TransferEncodingChunked = true;
        request.Content = new ByteArrayContent(file.Framed);

        using var response = await nodes.Leader.Http.SendAsync(request);

        await response.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Theory]
    [InlineData(FiveChunks, 2)]
    [InlineData(Large, 4000)]
    public async Task What_an_upload_that_ends_early_has_brought_is_kept_and_the_missing_chunks_complete_it(int size, int kept)
    {
        var file = PlainFile.Random(size);
        await nodes.Leader.RegisterAsync(file);

        using var early = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(Enumerable.Range(0, kept)));
        var problem = await early.ShouldBeProblemAsync(422, "upload-invalid", $"chunk {kept} ", $"{kept * 1024} of {size}");
        problem.GetProperty("chunk").GetInt64().ShouldBe(kept);
        problem.GetProperty("key").GetString().ShouldBe(file.Key);
        await file.ShouldNotBeVisibleAsync(nodes.Leader);

        using var rest = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(Enumerable.Range(kept, file.ChunkCount - kept)));
        await rest.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Theory]
    [InlineData(FiveChunks, 2)]
    [InlineData(Large, 9000)]
    public async Task A_body_cut_inside_a_frame_names_its_chunk_and_the_whole_frames_before_it_are_kept(int size, int cut)
    {
        var file = PlainFile.Random(size);
        await nodes.Leader.RegisterAsync(file);

        foreach (var length in (int[])[3, 8, 500])
        {
            var body = file.Framed[..((cut * 1032) + length)];
            using var early = await nodes.Leader.UploadAsync(file.Key, body);
            var problem = await early.ShouldBeProblemAsync(422, "upload-invalid");
            problem.GetProperty("chunk").GetInt64().ShouldBe(cut, $"cut {length} bytes into the frame");
            await file.ShouldNotBeVisibleAsync(nodes.Leader);
        }

        using var rest = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(Enumerable.Range(cut, file.ChunkCount - cut)));
        await rest.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    public static TheoryData<string, long> FaultyBodies =>
        new()
        {
            { "id out of range", 5 },
            { "id far out of range", -1 },
            { "last chunk too long", 4 },
            { "last chunk too short", 4 },
            { "inner chunk too short", 2 },
            { "same chunk, other bytes", 1 },
            { "bytes behind the last chunk", 4 },
        };

    [Theory]
    [MemberData(nameof(FaultyBodies))]
    public async Task A_faulty_frame_names_its_chunk_and_what_came_before_it_is_kept(string fault, long chunk)
    {
        var file = PlainFile.Random(FiveChunks);
        await nodes.Leader.RegisterAsync(file);
        var whole = file.FramesOf([0, 1]);
        byte[] faulty = fault switch
        {
            "id out of range" => [.. whole, .. PlainFile.Frame(5, PlainFile.RandomBytes(1024)), .. file.FramesOf([2])],
            "id far out of range" => [.. whole, .. PlainFile.Frame(ulong.MaxValue, PlainFile.RandomBytes(1024))],
            "last chunk too long" => [.. whole, .. PlainFile.Frame(4, [.. file.Chunk(4), 0])],
            "last chunk too short" => [.. whole, .. PlainFile.Frame(4, file.Chunk(4)[..^1])],
            "inner chunk too short" => [.. whole, .. PlainFile.Frame(2, file.Chunk(2)[..^1])],
            "same chunk, other bytes" => [.. whole, .. PlainFile.Frame(1, PlainFile.RandomBytes(1024)), .. file.FramesOf([2])],
            "bytes behind the last chunk" => [.. file.Framed, .. PlainFile.RandomBytes(2000)],
            _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "unknown"),
        };

        using var response = await nodes.Leader.UploadAsync(file.Key, faulty);

        var problem = await response.ShouldBeProblemAsync(
            422,
            "upload-invalid",
            $"{(chunk < 0 ? ulong.MaxValue : (ulong)chunk)}"
        );
        problem.GetProperty("chunk").GetUInt64().ShouldBe(unchecked((ulong)chunk));
        await file.ShouldNotBeVisibleAsync(nodes.Leader);
        using var rest = await nodes.Leader.UploadAsync(file.Key, file.FramesOf([2, 3, 4]));
        await rest.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task A_body_with_far_more_frames_than_the_file_has_is_refused()
    {
        var file = PlainFile.Random(4 * 1024);
        await nodes.Leader.RegisterAsync(file);

        using var response = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(Enumerable.Repeat(3, 100)));

        (await response.ShouldBeProblemAsync(422, "upload-invalid")).GetProperty("chunk").GetInt64().ShouldBe(3);
        await file.ShouldNotBeVisibleAsync(nodes.Leader);
    }

    [Fact]
    public async Task An_empty_body_names_the_first_chunk()
    {
        var file = PlainFile.Random(FiveChunks);
        await nodes.Leader.RegisterAsync(file);

        using var response = await nodes.Leader.UploadAsync(file.Key, []);

        (await response.ShouldBeProblemAsync(422, "upload-invalid")).GetProperty("chunk").GetInt64().ShouldBe(0);
    }

    [Theory]
    [InlineData(FiveChunks)]
    [InlineData(Large)]
    public async Task Another_content_of_the_same_size_is_not_stored_and_the_right_one_is_afterwards(int size)
    {
        var (file, other) = (PlainFile.Random(size), PlainFile.Random(size));
        await nodes.Leader.RegisterAsync(file);

        using var wrong = await nodes.Leader.UploadAsync(file.Key, other.Framed);
        await wrong.ShouldBeProblemAsync(422, "fingerprint-mismatch", file.Fingerprint);
        await file.ShouldNotBeVisibleAsync(nodes.Leader);
        (await nodes.Follower.StateOfAsync(file.Key)).ShouldBe("absent");

        using var right = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        await right.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task A_wrong_chunk_that_a_cut_off_upload_left_is_overwritten_by_the_right_one()
    {
        var file = PlainFile.Random(FiveChunks);
        await nodes.Leader.RegisterAsync(file);
        byte[] body = [.. file.FramesOf([0]), .. PlainFile.Frame(1, PlainFile.RandomBytes(1024))];
        using var early = await nodes.Leader.UploadAsync(file.Key, body);
        await early.ShouldBeProblemAsync(422, "upload-invalid");

        using var whole = await nodes.Leader.UploadAsync(file.Key, file.Framed);

        await whole.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task Uploads_of_one_key_at_once_all_end_well_and_leave_one_content_and_no_partial()
    {
        var file = PlainFile.Random(3_000_000);
        await nodes.Leader.RegisterAsync(file);
        var body = file.Framed;

        var responses = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => nodes.Leader.UploadAsync(file.Key, body)));

        foreach (var response in responses)
        {
            await response.ShouldBeEmptyOkAsync();
            response.Dispose();
        }

        await file.ShouldBeStoredAsync(nodes.Leader);
        ContentsOf(file).ShouldBe(1);
        PartialsOf(file).ShouldBeEmpty();
    }

    [Fact]
    public async Task Raw_uploads_of_one_content_at_once_all_end_well_and_leave_one_content()
    {
        var file = PlainFile.Random(3_000_000);

        var keys = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => nodes.Leader.PutAsync(file.Content, $"{file.Key}/{i / 2}"))
        );

        keys.Distinct().Count().ShouldBe(2, "two locations, each uploaded twice");
        ContentsOf(file).ShouldBe(1);
        foreach (var key in keys)
        {
            await TestCluster.StoredAsync(nodes.Follower, key);
        }
    }

    [Fact]
    public async Task An_upload_that_fails_beside_one_that_succeeds_leaves_no_partial()
    {
        var file = PlainFile.Random(FiveChunks);
        await nodes.Leader.RegisterAsync(file);
        using var slow = await RawConnection.OpenAsync(nodes.Leader);
        await slow.SendHeadAsync("POST", $"/upload/{file.Key}", ("Content-Length", $"{file.Framed.Length}"));
        await slow.SendAsync(file.FramesOf([0]));
        await Eventually.HoldsAsync(() => Task.FromResult(PartialsOf(file).Count == 1), "the slow upload is at work");
        using var fast = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        await fast.ShouldBeEmptyOkAsync();

        slow.Reset();

        await Eventually.HoldsAsync(() => Task.FromResult(PartialsOf(file).Count == 0), "no partial is left of a stored file");
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task A_file_registered_at_a_follower_alone_can_be_uploaded_at_the_leader()
    {
        var file = PlainFile.Random(FiveChunks);
        using (var registered = await nodes.Follower.RegisterAsync(file.Key, file.Metadata()))
        {
            registered.StatusCode.ShouldBe(HttpStatusCode.Created);
        }

        using var response = await nodes.Leader.UploadAsync(file.Key, file.Framed);

        await response.ShouldBeEmptyOkAsync();
        await file.ShouldBeStoredAsync(nodes.Leader);
        var resource = await nodes.Leader.GetJsonAsync($"/v1/files/{file.Key}");
        resource.GetProperty("fileState").GetString().ShouldBe("added");
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
    }

    private int ContentsOf(PlainFile file) =>
        StoredOnDisk
            .ContentsIn(nodes.Leader.DataDirectory)
            .Count(content => content.EndsWith(file.Fingerprint[2..], StringComparison.Ordinal));

    private List<string> PartialsOf(PlainFile file) =>
        [.. Directory.EnumerateDirectories(Path.Combine(nodes.Leader.DataDirectory, "partial"), file.Key[2..] + ".*")];
}
