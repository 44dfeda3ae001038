using System.Diagnostics;
using System.Net;
using System.Text.Json;
using FileTransfer.Contracts;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Serving;

namespace FileTransfer.IntegrationTests.Serving;

/// <summary>A content that a follower still downloads is read there as far as it is proven, and no answer is completed of which anything is missing.</summary>
public sealed class ArrivingTests(PatientSourceCluster cluster) : IClassFixture<PatientSourceCluster>
{
    private const int Size = 2_000_000;
    private const int HeldFrom = 500;
    private const int Piece = 100_000;

    [Theory]
    [InlineData("v1/files/{0}/content", 1024)]
    [InlineData("download/{0}", 1032)]
    public async Task A_reader_gets_what_is_here_at_once_and_the_rest_as_it_comes(string route, int unit)
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);

        using var answer = await GetAsync(string.Format(null, route, file.Key));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentLength.ShouldBe(unit == 1024 ? Size : Size + (8 * 1954));
        answer.Headers.ETag!.Tag.ShouldBe($"\"{(unit == 1024 ? file.Fingerprint.ToString() : file.Key.ToString())}\"");
        await using var body = await answer.Content.ReadAsStreamAsync();
        var came = new byte[answer.Content.Headers.ContentLength!.Value];
        await body.ReadExactlyAsync(came.AsMemory(0, Piece));
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("state").GetString().ShouldBe("downloading");

        source.Release();
        await body.ReadExactlyAsync(came.AsMemory(Piece));
        Unframed(came, unit).AsSpan().SequenceEqual(file.Content).ShouldBeTrue();
        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task The_head_of_the_answer_and_conditions_are_those_of_a_stored_file()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        using var head = await cluster.Follower.SendAsync(HttpMethod.Head, $"/v1/files/{file.Key}/content");
        head.StatusCode.ShouldBe(HttpStatusCode.OK);
        head.Content.Headers.ContentLength.ShouldBe(Size);
        using var known = await cluster.Follower.SendAsync(
            HttpMethod.Get,
            $"/v1/files/{file.Key}/content",
            ("If-None-Match", head.Headers.ETag!.Tag)
        );
        known.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        using var hashes = await cluster.Follower.Http.GetAsync($"/v1/files/{file.Key}/hashes");
        (await hashes.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(file.Hashes).ShouldBeTrue();
        source.Release();
    }

    [Fact]
    public async Task The_place_of_a_reader_at_the_far_end_comes_before_the_rest()
    {
        await using var source = await cluster.StartSourceAsync();
        source.TotalBytesPerSecond = 400_000;
        var file = await ArriveAsync(source, heldFrom: null, size: 4_000_000);

        using var response = await GetAsync($"v1/files/{file.Key}/content", ("Range", "bytes=3900000-3999999"));
        response.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        var end = await response.Content.ReadAsByteArrayAsync();
        end.AsSpan().SequenceEqual(file.Content.AsSpan(3_900_000)).ShouldBeTrue();

        source.BytesSent.ShouldBeLessThan(2_000_000);
        source.TotalBytesPerSecond = 0;
        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task Who_reads_or_follows_a_file_that_is_removed_meanwhile_is_cut_within_a_second()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        var reading = await BeginAsync(file);
        var parts = await FollowAsync(file);

        using (var removed = await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}"))
        {
            removed.IsSuccessStatusCode.ShouldBeTrue();
        }

        var clock = Stopwatch.StartNew();
        await ShouldBeCutAsync(reading, file);
        (await LinesAsync(parts))[^1].End.ShouldBe(PartsLine.Failed);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(Showing.Of(small: 10, full: 1)));
        source.Release();
    }

    [Fact]
    public async Task A_reader_is_cut_when_the_last_source_is_gone()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        var reading = await BeginAsync(file);

        source.Status = 404;
        source.ClosesAfter = 0;
        source.Release();

        await ShouldBeCutAsync(reading, file);
    }

    [Fact]
    public async Task A_node_that_loses_the_session_of_its_claim_gives_no_parts()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        var reading = await BeginAsync(file);
        var parts = await FollowAsync(file);

        await cluster.Database.ExecuteAsync(
            $"SELECT pg_terminate_backend(holder_pid) FROM filetransfer.replicas WHERE file_key = {file.KeySql} AND state = 'downloading'"
        );

        await ShouldBeCutAsync(reading, file);
        (await LinesAsync(parts))[^1].End.ShouldBe(PartsLine.Failed);
        source.Release();
        await cluster.StoredAsync(file);
    }

    [Thorough]
    [Fact]
    public async Task A_reader_that_stands_still_keeps_no_download_waiting_and_gets_the_rest()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom, size: 12_000_000);
        await using var reading = await BeginAsync(file);
        source.Release();
        await cluster.StoredAsync(file);

        var came = new byte[file.Content.Length];
        await reading.ReadExactlyAsync(came);
        came.AsSpan().SequenceEqual(file.Content).ShouldBeTrue();
    }

    [Fact]
    public async Task Wrong_bytes_of_a_source_never_reach_a_reader()
    {
        await using var source = await cluster.StartSourceAsync();
        source.LiesAtChunk = HeldFrom + 3;
        var file = await ArriveAsync(source, HeldFrom);
        var reading = await BeginAsync(file);

        source.Release();

        await ShouldBeCutAsync(reading, file);
        await cluster.ReplicaIsAsync(file, "failed", $"chunk {HeldFrom + 3} with other bytes");
    }

    [Fact]
    public async Task A_reader_who_prefers_to_wait_gets_a_file_that_nobody_has_yet()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = TestFile.Of(Size);
        var answer = GetAsync($"v1/files/{file.Key}/content", ("Prefer", "respond-async, wait=50"));
        await file.WantAtAsync(cluster.Follower);
        await source.OfferAsync(file);
        await cluster.AppearsAsync(file, source);

        using var response = await answer;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("Preference-Applied").ShouldBe(["wait=50"]);
        (await response.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(file.Content).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_waited_in_vain_is_told_what_he_is_told_without_waiting()
    {
        var file = TestFile.Of(Size);
        using var response = await GetAsync($"v1/files/{file.Key}/content", ("Prefer", "wait=1"));
        await response.ShouldBeProblemAsync(404, "file-unknown", file.Key.ToString());
        response.Headers.GetValues("Preference-Applied").ShouldBe(["wait=1"]);
    }

    [Fact]
    public async Task A_reader_is_told_who_has_a_file_of_which_nothing_can_be_read_yet()
    {
        await using var source = await cluster.StartSourceAsync();
        source.FirstByteAfter = TimeSpan.FromMinutes(1);
        var file = await source.OfferAsync(TestFile.Of(Size));
        await file.WantAtAsync(cluster.Follower);

        using var response = await GetAsync($"v1/files/{file.Key}/content");
        var problem = await response.ShouldBeProblemAsync(503, "file-elsewhere", file.Key.ToString());
        response.Headers.RetryAfter.ShouldNotBeNull();
        problem.GetProperty("nodes")[0].GetString().ShouldBe(source.Id);
        (await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}")).IsSuccessStatusCode.ShouldBeTrue();
    }

    [Fact]
    public async Task A_node_gets_parts_of_the_generation_that_it_names()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        var path = $"v1/files/{file.Key}/content";
        (string, string) node = ("FileTransfer-Node", "asks");

        using (var without = await GetAsync(path, node))
        {
            await without.ShouldBeProblemAsync(409, "file-not-stored");
        }

        foreach (var other in (string[])["2", "0", "x"])
        {
            using var old = await GetAsync(path, node, ("FileTransfer-Generation", other));
            await old.ShouldBeProblemAsync(409, "generation-differs", file.Key.ToString());
            using var oldParts = await GetAsync($"v1/files/{file.Key}/parts", node, ("FileTransfer-Generation", other));
            await oldParts.ShouldBeProblemAsync(409, "generation-differs");
        }

        using var part = await GetAsync(path, node, ("FileTransfer-Generation", "1"), ("Range", "bytes=1024-30719"));
        part.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        var bytes = await part.Content.ReadAsByteArrayAsync();
        bytes.AsSpan().SequenceEqual(file.Content.AsSpan(1024, 29_696)).ShouldBeTrue();

        using var notYet = await GetAsync(path, node, ("FileTransfer-Generation", "1"), ("Range", "bytes=1990000-1999999"));
        await notYet.ShouldBeProblemAsync(503, "source-busy");
        source.Release();
    }

    [Thorough]
    [Fact]
    public async Task A_node_that_waits_for_a_chunk_which_does_not_come_is_cut_after_ten_seconds()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        var clock = Stopwatch.StartNew();
        using var answer = await GetAsync(
            $"v1/files/{file.Key}/content",
            ("FileTransfer-Node", "waits"),
            ("FileTransfer-Generation", "1"),
            ("Range", "bytes=0-")
        );
        answer.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        await ShouldBeCutAsync(await answer.Content.ReadAsStreamAsync(), file);
        clock.Elapsed.ShouldBeInRange(TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(Showing.Of(small: 60, full: 12)));
        source.Release();
    }

    [Fact]
    public async Task More_nodes_than_are_told_at_a_time_what_is_here_are_to_come_again()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        var told = await Task.WhenAll(Enumerable.Range(0, PartDelivery.MostFollowers).Select(_ => FollowAsync(file)));

        using (var refused = await FollowAsync(file, HttpStatusCode.ServiceUnavailable))
        {
            refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
            await refused.ShouldBeProblemAsync(503, "source-busy");
        }

        source.Release();
        foreach (var lines in await Task.WhenAll(told.Select(LinesAsync)))
        {
            lines[^1].End.ShouldBe(PartsLine.Stored);
        }

        (await LinesAsync(await FollowAsync(file))).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_node_follows_what_is_here_and_what_comes_until_all_is_stored()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        using var parts = await FollowAsync(file);
        using var reader = new StreamReader(await parts.Content.ReadAsStreamAsync());
        var lines = new List<PartsLine>();
        while (await reader.ReadLineAsync() is { } text)
        {
            lines.Add(LineOf(text));
            if (lines[^1].Coming?.Any(range => range[0] <= HeldFrom && HeldFrom <= range[1]) == true)
            {
                source.Release();
            }
        }

        (lines[0].Generation, lines[0].Fingerprint, lines[0].Size).ShouldBe((1, file.Fingerprint.ToString(), Size));
        lines.Skip(1).ShouldAllBe(line => line.Generation == null);
        var have = new HashSet<long>();
        foreach (var range in lines.SelectMany(line => line.Have ?? []))
        {
            for (var chunk = range[0]; chunk <= range[1]; chunk++)
            {
                have.Add(chunk).ShouldBeTrue($"chunk {chunk} is told once");
            }
        }

        have.Count.ShouldBe((Size + 1023) / 1024);
        lines[^1].End.ShouldBe(PartsLine.Stored);

        (await LinesAsync(await FollowAsync(file)))
            .ShouldHaveSingleItem()
            .ShouldBe(new PartsLine(1, file.Fingerprint.ToString(), Size, End: PartsLine.Stored));
    }

    [Fact]
    public async Task A_follower_that_is_killed_cuts_its_readers_and_serves_what_it_had_when_it_is_back()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await ArriveAsync(source, HeldFrom);
        var reading = await BeginAsync(file);

        await cluster.Follower.KillAsync();

        await ShouldBeCutAsync(reading, file);
        await cluster.RestartFollowerAsync();
        using var answer = await GetAsync($"v1/files/{file.Key}/content", ("Prefer", "wait=60"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        source.Release();
        (await answer.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(file.Content).ShouldBeTrue();
    }

    /// <summary>A file that the follower downloads, of which the first bytes can be read.</summary>
    private async Task<TestFile> ArriveAsync(FakeSource source, long? heldFrom, int size = Size)
    {
        if (heldFrom is { } chunk)
        {
            source.HoldFrom(chunk);
        }

        var file = await source.OfferAsync(TestFile.Of(size));
        await file.WantAtAsync(cluster.Follower);
        using var answer = await GetAsync($"v1/files/{file.Key}/content", ("Prefer", "wait=60"), ("Range", "bytes=0-0"));
        answer.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        return file;
    }

    private async Task<Stream> BeginAsync(TestFile file)
    {
        var answer = await GetAsync($"v1/files/{file.Key}/content");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStreamAsync();
    }

    private async Task<HttpResponseMessage> FollowAsync(TestFile file, HttpStatusCode status = HttpStatusCode.OK)
    {
        var answer = await GetAsync(
            $"v1/files/{file.Key}/parts",
            ("FileTransfer-Node", "asks"),
            ("FileTransfer-Generation", "1")
        );
        answer.StatusCode.ShouldBe(status);
        return answer;
    }

    private static async Task<List<PartsLine>> LinesAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(LineOf).ToList();
        }
    }

    private static PartsLine LineOf(string json) => JsonSerializer.Deserialize<PartsLine>(json, JsonSerializerOptions.Web)!;

    /// <summary>What came is right, and the end is no end.</summary>
    private static async Task ShouldBeCutAsync(Stream body, TestFile file)
    {
        await using (body)
        {
            var came = new byte[Size];
            var count = 0;
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var cut = await Record.ExceptionAsync(async () =>
            {
                while (count < Size)
                {
                    var read = await body.ReadAsync(came.AsMemory(count), patience.Token);
                    count += read > 0 ? read : throw new EndOfStreamException("the body ended as if it were whole");
                }
            });
            cut.ShouldBeAssignableTo<IOException>().ShouldNotBeOfType<EndOfStreamException>();
            count.ShouldBeLessThan(Size);
            came.AsSpan(0, count).SequenceEqual(file.Content.AsSpan(0, count)).ShouldBeTrue();
        }
    }

    private async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/" + path.TrimStart('/'));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }

        return await cluster.Follower.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static byte[] Unframed(byte[] body, int unit) =>
        unit == 1024 ? body : [.. body.Chunk(unit).SelectMany(frame => frame[8..])];
}
