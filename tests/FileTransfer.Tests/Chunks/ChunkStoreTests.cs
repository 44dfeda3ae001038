using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;

namespace FileTransfer.Tests.Chunks;

public sealed class ChunkStoreTests
{
    private const int Large = (4 * 1024 * 1024) + 1;

    [Fact]
    public void A_file_is_visible_from_show_to_hide()
    {
        using var store = new TestStore();
        var content = new SampleContent(5000);
        store.Publish(content);
        store.Store.TryOpen(content.Key).ShouldBeNull();
        store.Store.LinkVisible(content.Key, content.Fingerprint);
        store.Store.LinkVisible(content.Key, content.Fingerprint);
        using (var stored = store.Store.TryOpen(content.Key)!)
        {
            stored.Fingerprint.ShouldBe(content.Fingerprint);
            stored.Size.ShouldBe(5000);
            TestStore.ReadAll(stored).ShouldBe(content.Data);
        }

        store.Store.VisibleFiles().ShouldBe([content.Key]);
        store.Restart();
        store.Store.VisibleFiles().ShouldBe([content.Key]);
        store.Store.Unlink(content.Key);
        store.Store.Unlink(content.Key);
        store.Store.TryOpen(content.Key).ShouldBeNull();
        store.Store.VisibleFiles().ShouldBeEmpty();
        store.Store.Contains(content.Fingerprint, 5000).ShouldBeTrue();
    }

    [Fact]
    public void A_data_directory_that_was_moved_keeps_its_visible_files()
    {
        using var store = new TestStore();
        var content = new SampleContent(5000);
        store.Publish(content);
        store.Store.LinkVisible(content.Key, content.Fingerprint);
        using var moved = TestStore.Open(store.CopyAs("moved"));
        store.Store.DeleteContent(content.Fingerprint);
        using var stored = moved.TryOpen(content.Key)!;
        TestStore.ReadAll(stored).ShouldBe(content.Data);
    }

    [Fact]
    public void A_link_that_names_another_content_is_set_right()
    {
        using var store = new TestStore();
        var (right, wrong) = (new SampleContent(5000), new SampleContent(6000));
        store.Publish(right);
        store.Publish(wrong);
        store.Store.LinkVisible(right.Key, wrong.Fingerprint);
        store.Store.LinkVisible(right.Key, right.Fingerprint);
        using var stored = store.Store.TryOpen(right.Key)!;
        stored.Fingerprint.ShouldBe(right.Fingerprint);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_no_link_and_has_the_name_of_one_is_left_and_named(bool isFolder)
    {
        using var store = new TestStore();
        var content = new SampleContent(5000);
        store.Publish(content);
        store.Store.LinkVisible(content.Key, content.Fingerprint);
        var link = Directory.EnumerateFiles(store.Root, content.Key.ToHex(), SearchOption.AllDirectories).Single();
        File.Delete(link);
        if (isFolder)
        {
            Directory.CreateDirectory(link);
        }
        else
        {
            File.WriteAllText(link, "somebody's");
        }

        var refused = Should.Throw<IOException>(() => store.Store.LinkVisible(content.Key, content.Fingerprint));

        refused.Message.ShouldContain(link);
        Path.Exists(link).ShouldBeTrue();
    }

    [Fact]
    public void A_deleted_content_is_gone_with_its_hashes_and_readable_to_who_reads_it()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        store.Publish(content);
        store.Store.LinkVisible(content.Key, content.Fingerprint);
        using var reading = store.Store.TryOpen(content.Key)!;
        store.Store.DeleteContent(content.Fingerprint);
        store.Store.DeleteContent(content.Fingerprint);
        store.Store.TryOpen(content.Fingerprint).ShouldBeNull();
        store.Store.TryOpen(content.Key).ShouldBeNull();
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
            store.Store.LinkVisible(content.Key, content.Fingerprint);
            store.Store.Quarantine(content.Fingerprint, $"Chunk {time} is damaged.");
            store.Store.TryOpen(content.Key).ShouldBeNull();
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
    public void Contents_are_listed_with_size_and_time_and_without_their_hashes()
    {
        using var store = new TestStore();
        var before = DateTimeOffset.UtcNow.AddMinutes(-1);
        var contents = new[] { new SampleContent(1), new SampleContent(5000), new SampleContent(Large) };
        Array.ForEach(contents, store.Publish);
        store
            .Store.Contents()
            .Select(found => (found.Fingerprint, found.Size))
            .ShouldBe(contents.Select(content => (content.Fingerprint, (long)content.Data.Length)), ignoreOrder: true);
        store.Store.Contents().ShouldAllBe(found => found.Written > before);
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
