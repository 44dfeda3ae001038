using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;

namespace FileTransfer.Tests.Chunks;

public sealed class ChunkStoreTests
{
    private const int Large = (4 * 1024 * 1024) + 1;

    [Theory]
    [InlineData(5000)]
    [InlineData(100_000)]
    public async Task A_file_is_visible_from_its_commit_until_it_is_hidden(int size)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        await store.RecordAsync(content);
        if (!ChunkStore.IsSmall(size))
        {
            store.Publish(content);
        }

        store.Store.TryOpen(content.Key).ShouldBeNull();
        store.Store.VisibleFiles().ShouldBeEmpty();
        store.Store.MakeVisible(content.Key);
        store.Store.MakeVisible(content.Key);
        using (var stored = store.Store.TryOpen(content.Key)!)
        {
            stored.Fingerprint.ShouldBe(content.Fingerprint);
            TestStore.ReadAll(stored).ShouldBe(content.Data);
        }

        store.Store.VisibleFiles().ShouldBe([content.Key]);
        store.Restart();
        store.Store.VisibleFiles().ShouldBe([content.Key]);
        store.Store.Hide(content.Key);
        store.Store.Hide(content.Key);
        store.Store.TryOpen(content.Key).ShouldBeNull();
        store.Restart();
        store.Store.TryOpen(content.Key).ShouldBeNull();
        store.Store.VisibleFiles().ShouldBeEmpty();
        store.Store.Contains(content.Fingerprint, size).ShouldBeTrue();
        store.Store.MakeVisible(content.Key);
        store.Restart();
        store.Store.VisibleFiles().ShouldBe([content.Key]);
    }

    [Fact]
    public async Task A_stored_file_stays_visible_while_it_is_recorded_again()
    {
        using var store = new TestStore();
        var content = new SampleContent(5000);
        await store.RecordAsync(content);
        store.Store.MakeVisible(content.Key);
        await store.RecordAsync(content);
        store.Store.VisibleFiles().ShouldBe([content.Key]);
    }

    [Fact]
    public void A_deleted_content_is_gone_with_its_hashes_and_readable_to_who_reads_it()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        store.Publish(content);
        using var reading = store.Store.TryOpen(content.Fingerprint)!;
        store.Store.DeleteContent(content.Fingerprint);
        store.Store.DeleteContent(content.Fingerprint);
        store.Store.TryOpen(content.Fingerprint).ShouldBeNull();
        store.Store.Contents().ShouldBeEmpty();
        File.Exists(store.ContentPath(content.Fingerprint) + ".hashes").ShouldBeFalse();
        TestStore.ReadAll(reading).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
    }

    [Fact]
    public void A_content_set_aside_is_not_served_and_its_reason_is_beside_it()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        for (var time = 1; time <= 2; time++)
        {
            store.Publish(content);
            store.Store.Quarantine(content.Fingerprint, $"Chunk {time} is damaged.");
            store.Store.TryOpen(content.Fingerprint).ShouldBeNull();
            store.Store.Contains(content.Fingerprint, Large).ShouldBeFalse();
        }

        store.Store.Quarantine(content.Fingerprint, "It is not here any more.");
        var hex = content.Fingerprint.ToHex();
        var folder = Path.Combine(store.Root, "quarantine");
        File.WriteAllText(Path.Combine(folder, "left.reason"), "Its content stayed where it was.");
        store.Restart();
        Directory
            .GetFiles(folder)
            .Select(Path.GetFileName)
            .ShouldBe([hex, $"{hex}.reason", $"{hex}.2", $"{hex}.2.reason"], ignoreOrder: true);
        File.ReadAllText(Path.Combine(folder, $"{hex}.2.reason")).ShouldBe("Chunk 2 is damaged.\n");
    }

    [Fact]
    public async Task Contents_of_both_places_are_listed_in_order_with_their_size_and_without_their_hashes()
    {
        using var store = new TestStore();
        var files = Enumerable.Range(1, 20).Select(seed => new SampleContent(70_000, seed)).Append(new SampleContent(Large));
        var rows = Enumerable.Range(1, 20).Select(seed => new SampleContent(seed * 300, seed)).ToArray();
        var contents = files.Concat(rows).OrderBy(content => content.Fingerprint).ToList();
        files.ToList().ForEach(store.Publish);
        await store.RecordAsync(rows);

        var expected = contents.ConvertAll(content => new ContentInfo(content.Fingerprint, content.Data.Length));
        store.Store.Contents().ShouldBe(expected, ignoreOrder: true);
        store.Store.ContentsAfter(null).ShouldBe(expected);
        store.Store.ContentsAfter(contents[9].Fingerprint).ShouldBe(expected[10..]);
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(Large)]
    public void Hashes_are_had_for_every_content_also_when_their_file_is_lost(int size)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        store.Publish(content);
        var path = store.ContentPath(content.Fingerprint) + ".hashes";
        for (var time = 1; time <= 2; time++)
        {
            using (var stored = store.Store.TryOpen(content.Fingerprint)!)
            {
                store.Store.Prove(stored);
                var hashes = stored.Proof!.Hashes;
                var encoded = new byte[hashes.EncodedLength];
                hashes.ReadEncoded(0, encoded);
                encoded.ShouldBe(content.Encoded);
            }

            File.Exists(path).ShouldBe(size == Large);
            File.Delete(path);
        }

        Directory.GetFileSystemEntries(Path.Combine(store.Root, "partial")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(Large)]
    public void Hashes_are_not_made_up_for_a_damaged_content(int size)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        store.Publish(content);
        var path = store.ContentPath(content.Fingerprint);
        File.Delete(path + ".hashes");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using (var file = new FileStream(path, FileMode.Open))
        {
            file.WriteByte((byte)(content.Data[0] ^ 1));
        }

        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        Should.Throw<ContentDamagedException>(() => store.Store.Prove(stored)).Fingerprint.ShouldBe(content.Fingerprint);
        File.Exists(path + ".hashes").ShouldBeFalse();
    }

    [Fact]
    public void A_second_store_on_one_data_directory_is_refused_and_told_who_has_it()
    {
        using var store = new TestStore();
        var refused = Should.Throw<DataDirectoryInUseException>(() => TestStore.Open(store.Root));
        refused.ProcessId.ShouldBe(Environment.ProcessId);
        refused.Message.ShouldContain(store.Root);
        refused.Message.ShouldContain("FileTransfer:DataDirectory");
        store.Restart();
    }

    [Fact]
    public void A_data_directory_locked_by_another_process_is_refused_until_that_process_is_killed()
    {
        using var store = new TestStore();
        store.Store.Dispose();
        using var holder = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(
                "flock",
                // The lock is flock's alone: one that its command inherited would outlive it for a moment.
                ["--close", Path.Combine(store.Root, ".lock"), "sh", "-c", "echo locked; exec cat"]
            )
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
        holder.StandardOutput.ReadLine().ShouldBe("locked");
        Should.Throw<DataDirectoryInUseException>(() => TestStore.Open(store.Root));
        holder.Kill(entireProcessTree: true);
        holder.WaitForExit();
        store.Restart();
    }

    [Fact]
    public void Leftovers_in_the_folder_of_partials_are_removed_at_start()
    {
        using var store = new TestStore();
        var content = new SampleContent(5000);
        using (var partial = store.OpenPartial(content))
        {
            partial.Put(0, content.Chunk(0));
        }

        var partials = Path.Combine(store.Root, "partial");
        Directory.CreateDirectory(Path.Combine(partials, "nonsense", "deep"));
        Directory.CreateDirectory(Path.Combine(partials, $"{content.Key.ToHex()}.x"));
        Directory.CreateDirectory(Path.Combine(partials, $"{content.Key.ToHex()}.4"));
        File.WriteAllText(Path.Combine(partials, $"{content.Key.ToHex()}.4", "hashes"), "h");
        Directory.CreateDirectory(Path.Combine(partials, $"incoming.{Guid.NewGuid():n}"));
        File.WriteAllText(Path.Combine(partials, "a-file"), "a");
        store.Restart();
        Directory.GetFileSystemEntries(partials).ShouldBe([store.PartialPath(content)]);
    }

    [Fact]
    public void The_floor_of_free_space_is_the_larger_of_one_gibibyte_and_two_percent()
    {
        new FreeSpaceFloor(null).BytesOf(10L << 30).ShouldBe(1L << 30);
        new FreeSpaceFloor(null).BytesOf(100L << 30).ShouldBe((100L << 30) / 50);
        new FreeSpaceFloor(0).BytesOf(100L << 30).ShouldBe(0);
        new FreeSpaceReport(99, 1000, 100).IsBelowFloor.ShouldBeTrue();
        new FreeSpaceReport(100, 1000, 100).IsBelowFloor.ShouldBeFalse();
        new FreeSpaceReport(150, 1000, 100).HasRoomFor(50).ShouldBeTrue();
        new FreeSpaceReport(150, 1000, 100).HasRoomFor(51).ShouldBeFalse();
        using var store = new TestStore();
        var free = store.Store.FreeSpace();
        free.BytesTotal.ShouldBeGreaterThan(free.BytesFree);
        free.BytesFree.ShouldBeGreaterThan(0);
    }
}
