using FileTransfer.Chunks;

namespace FileTransfer.Tests.Chunks;

public sealed class TogetherTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public void Contents_made_durable_together_are_whole_read_only_and_leave_nothing_else(int count)
    {
        using var store = new TestStore();
        var contents = Enumerable.Range(0, count).Select(seed => new SampleContent(1 + (seed * 700), seed)).ToList();

        store.Store.MakeDurable([.. contents.Select(Proven)]);

        foreach (var content in contents)
        {
            var path = store.ContentPath(content.Fingerprint);
            File.ReadAllBytes(path).ShouldBe(content.Data);
            File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserWrite).ShouldBeFalse();
        }

        store.Store.Contents().Count().ShouldBe(count);
        Directory.GetFileSystemEntries(Path.Combine(store.Root, "partial")).ShouldBeEmpty();
    }

    [Fact]
    public void One_content_twice_and_one_that_is_here_are_no_fault()
    {
        using var store = new TestStore();
        var here = new SampleContent(5000, seed: 1);
        var other = new SampleContent(5000, seed: 2);
        store.Publish(here);
        var written = File.GetLastWriteTimeUtc(store.ContentPath(here.Fingerprint));

        store.Store.MakeDurable([Proven(other), Proven(here), Proven(other)]);

        store.Store.Contents().Count().ShouldBe(2);
        File.GetLastWriteTimeUtc(store.ContentPath(here.Fingerprint)).ShouldBe(written);
    }

    [Fact]
    public void Other_bytes_than_the_fingerprint_says_cannot_be_made_durable() =>
        ProvenBytes.TryProve(new SampleContent(5000, seed: 1).Fingerprint, new SampleContent(5000, seed: 2).Data).ShouldBeNull();

    /// <summary>The disk is copied as a kill at each step would leave it, and a new store is opened on the copy.</summary>
    [Fact]
    public void A_kill_at_any_step_shows_nothing_half_and_leaves_nothing_behind()
    {
        using var store = new TestStore();
        var contents = Enumerable.Range(0, 5).Select(seed => new SampleContent(3000, seed)).ToList();
        var copies = new List<(PublishStep Step, string Root)>();
        store.Store.BeforeStep = step => copies.Add((step, store.CopyAs($"at-{step}")));

        store.Store.MakeDurable([.. contents.Select(Proven)]);

        copies.Count.ShouldBe(4);
        foreach (var (step, root) in copies)
        {
            using var survivor = TestStore.Open(root);
            var isNamed = step > PublishStep.RenameData;
            survivor.Contents().Count().ShouldBe(isNamed ? contents.Count : 0, $"{step}");
            contents.ShouldAllBe(content => survivor.ConfirmDurable(content.Fingerprint, 3000) == isNamed);
            Directory.GetFileSystemEntries(Path.Combine(root, "partial")).ShouldBeEmpty($"{step}");
        }
    }

    [Theory]
    [InlineData(PublishStep.RenameData)]
    [InlineData(PublishStep.FsyncFolder)]
    public void A_disk_that_fails_on_the_way_leaves_none_of_them(object atStep)
    {
        using var store = new TestStore();
        var contents = Enumerable.Range(0, 5).Select(seed => new SampleContent(3000, seed)).ToList();
        store.Store.BeforeStep = step =>
        {
            if (step == (PublishStep)atStep)
            {
                throw new IOException("The disk is on fire.");
            }
        };

        Should.Throw<IOException>(() => store.Store.MakeDurable([.. contents.Select(Proven)]));

        store.Store.Contents().ShouldBeEmpty();
        Directory.GetFileSystemEntries(Path.Combine(store.Root, "partial")).ShouldBeEmpty();
    }

    private static ProvenBytes Proven(SampleContent content) => ProvenBytes.TryProve(content.Fingerprint, content.Data)!;
}
