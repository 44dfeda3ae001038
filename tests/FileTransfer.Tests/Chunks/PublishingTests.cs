using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;

namespace FileTransfer.Tests.Chunks;

public sealed class PublishingTests
{
    private const int Small = 3000;
    private const int Large = (4 * 1024 * 1024) + 1;
    private const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    [Theory]
    [InlineData(Small)]
    [InlineData(4 * 1024 * 1024)]
    [InlineData(Large)]
    public void A_published_content_is_read_only_whole_and_has_hashes_when_it_is_large(int size)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        store.Publish(content);
        var path = store.ContentPath(content.Fingerprint);
        File.ReadAllBytes(path).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
        File.GetUnixFileMode(path).ShouldBe(ReadOnly);
        File.Exists(path + ".hashes").ShouldBe(size == Large);
        if (size == Large)
        {
            File.ReadAllBytes(path + ".hashes").ShouldBe(content.Encoded);
            File.GetUnixFileMode(path + ".hashes").ShouldBe(ReadOnly);
        }

        store.Store.Partials().ShouldBeEmpty();
        Directory.GetFileSystemEntries(Path.Combine(store.Root, "partial")).ShouldBeEmpty();
    }

    [Fact]
    public void Two_files_with_one_content_share_it()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        TestStore.Publish(store.Store, content).ShouldBe(PublishOutcome.Published);
        var written = File.GetLastWriteTimeUtc(store.ContentPath(content.Fingerprint));
        TestStore.Publish(store.Store, content, epoch: 2).ShouldBe(PublishOutcome.AlreadyHere);
        store.Store.ConfirmDurable(content.Fingerprint, Large).ShouldBeTrue();
        store.Store.ConfirmDurable(content.Fingerprint, Large + 1).ShouldBeFalse();
        File.GetLastWriteTimeUtc(store.ContentPath(content.Fingerprint)).ShouldBe(written);
        store.Store.Contents().Count().ShouldBe(1);
        store.Store.Partials().ShouldBeEmpty();
    }

    [Fact]
    public void A_content_of_another_length_is_replaced_by_the_proven_one()
    {
        using var store = new TestStore();
        var content = new SampleContent(Small);
        store.Publish(content);
        var path = store.ContentPath(content.Fingerprint);
        File.SetUnixFileMode(path, ReadOnly | UnixFileMode.UserWrite);
        File.WriteAllText(path, "torn");
        TestStore.Publish(store.Store, content, epoch: 2).ShouldBe(PublishOutcome.Published);
        File.ReadAllBytes(path).ShouldBe(content.Data);
    }

    /// <summary>The disk is copied as a kill at each step would leave it, and a new store is opened on the copy.</summary>
    [Theory]
    [InlineData(Small)]
    [InlineData(Large)]
    public async Task A_kill_at_any_step_of_a_publish_loses_nothing_and_shows_nothing_half(int size)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        var copies = new List<(PublishStep Step, string Root)>();
        store.Store.BeforeStep = step => copies.Add((step, store.CopyAs($"at-{step}")));
        using (var partial = store.OpenProven(content))
        {
            partial.Put(0, content.Data);
            partial.ProveWhole().ShouldBeTrue();
            store.Store.MakeDurable(partial);
        }

        copies.Count.ShouldBe(size == Large ? 7 : 5);
        foreach (var (step, root) in copies)
        {
            using var survivor = TestStore.Open(root);
            var isNamed = step > PublishStep.RenameData;
            survivor.Contains(content.Fingerprint, size).ShouldBe(isNamed, $"{step}");
            survivor.Contents().Count().ShouldBe(isNamed ? 1 : 0);
            survivor.Partials().Count().ShouldBe(isNamed ? 0 : 1);
            survivor.ConfirmDurable(content.Fingerprint, size).ShouldBe(isNamed);

            using (var resumed = survivor.OpenPartial(content.Key, 2, content.Fingerprint, size))
            {
                await Complete(resumed, content, needsSource: isNamed);
                survivor.MakeDurable(resumed).ShouldBe(isNamed ? PublishOutcome.AlreadyHere : PublishOutcome.Published);
            }

            using var stored = survivor.TryOpen(content.Fingerprint)!;
            TestStore.ReadAll(stored).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
            survivor.Prove(stored);
            stored.Proof!.Hashes.ComputeFingerprint().ShouldBe(content.Fingerprint);
            File.GetUnixFileMode(Path.Combine(root, Path.GetRelativePath(store.Root, store.ContentPath(content.Fingerprint))))
                .ShouldBe(ReadOnly);
            Directory.GetFileSystemEntries(Path.Combine(root, "partial")).ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("FsyncData")]
    [InlineData("FsyncFolder")]
    public void After_a_failed_fsync_nothing_of_it_is_trusted(string step)
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        var failing = Enum.Parse<PublishStep>(step);
        store.Store.BeforeStep = at =>
        {
            if (at == failing)
            {
                throw new FsyncFailedException("/somewhere", errno: 5);
            }
        };
        var fault = Should.Throw<FsyncFailedException>(() => store.Publish(content));
        fault.Message.ShouldContain("/somewhere");
        fault.Message.ShouldContain("Check the disk");
        store.Store.Contains(content.Fingerprint, Large).ShouldBeFalse();
        store.Store.Contents().ShouldBeEmpty();
        store.Store.Partials().ShouldBeEmpty();
        File.Exists(store.ContentPath(content.Fingerprint) + ".hashes").ShouldBeFalse();

        store.Store.BeforeStep = null;
        TestStore.Publish(store.Store, content).ShouldBe(PublishOutcome.Published);
    }

    [Fact]
    public void Fsync_tells_when_it_fails()
    {
        using var device = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        Should.Throw<FsyncFailedException>(() => DurableFile.Fsync(device, "/dev/null")).Path.ShouldBe("/dev/null");
        Should.Throw<IOException>(() => DurableFile.FsyncFolder("/nowhere/at/all")).Message.ShouldContain("/nowhere/at/all");
    }

    [Fact]
    public void A_rename_that_fails_leaves_what_was_there()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["a"], "a");
        Should.Throw<IOException>(() => DurableFile.Rename(folder["a"], folder["missing/b"])).Message.ShouldContain("missing/b");
        File.ReadAllText(folder["a"]).ShouldBe("a");
    }

    [Fact]
    public async Task Publishing_and_deleting_one_content_wait_for_each_other()
    {
        using var store = new TestStore();
        var fingerprint = new SampleContent(10).Fingerprint;
        var held = await store.Store.LockContentAsync(fingerprint, CancellationToken.None);
        var waiting = store.Store.LockContentAsync(fingerprint, CancellationToken.None).AsTask();
        using var cancellation = new CancellationTokenSource();
        var cancelled = store.Store.LockContentAsync(fingerprint, cancellation.Token).AsTask();
        (await store.Store.LockContentAsync(new SampleContent(11).Fingerprint, CancellationToken.None)).Dispose();

        waiting.IsCompleted.ShouldBeFalse();
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(cancelled);
        held.Dispose();
        held.Dispose();
        (await waiting).Dispose();
        (await store.Store.LockContentAsync(fingerprint, CancellationToken.None)).Dispose();
    }

    private static async Task Complete(PartialFile partial, SampleContent content, bool needsSource)
    {
        await partial.RevalidateFromDiskAsync(CancellationToken.None);
        if (!partial.HashesProven)
        {
            partial.Hashes.WriteEncoded(0, content.Encoded);
            partial.VerifyHashes().ShouldBeTrue();
            await partial.RevalidateFromDiskAsync(CancellationToken.None);
        }

        partial.IsComplete.ShouldBe(!needsSource);
        partial.Put(0, content.Data).ShouldBe(PutOutcome.Stored);
        partial.ProveWhole().ShouldBeTrue();
    }
}
