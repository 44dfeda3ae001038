using FileTransfer.Chunks;

namespace FileTransfer.Tests.Chunks;

/// <content>What a proof finds, and what becomes of it.</content>
public sealed partial class ProvingTests
{
    [Fact]
    public async Task Wrong_hashes_beside_a_right_content_are_computed_again()
    {
        var content = new SampleContent(Large);
        _store.Publish(content);
        var path = _store.ContentPath(content.Fingerprint) + ".hashes";
        foreach (
            var damage in (Action<FileStream>[])
                [file => FlipIn(file, 777), file => file.SetLength(100), file => file.SetLength(0)]
        )
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
            {
                damage(file);
            }

            (await ProveAsync(content)).ShouldBe(new ContentFinding.Intact(Large, HashesMended: true));
            File.ReadAllBytes(path).ShouldBe(content.Encoded);
            using var stored = Open(content);
            (await RawAsync(stored, 0, Large)).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task A_proof_names_the_chunk_that_is_wrong()
    {
        var content = new SampleContent(Large);
        _store.Publish(content);
        Flip(content, 3 * 1024 * 1024);
        (await ProveAsync(content))
            .ShouldBeOfType<ContentFinding.Damaged>()
            .Reason.ShouldBe($"chunk {3 * 1024} has other bytes than its hash says");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(5000)]
    [InlineData(Large)]
    public async Task What_is_here_and_not_right_counts_for_nothing_and_gives_way_to_what_is(int size)
    {
        var content = new SampleContent(size);
        _store.Publish(content);
        await SettledAsync();
        _store.Store.ConfirmDurable(content.Fingerprint, size).ShouldBeTrue();
        Flip(content, 10);
        _store.Store.ConfirmDurable(content.Fingerprint, size).ShouldBeFalse();
        _store.Store.Holds(content.Fingerprint).ShouldBeFalse();

        TestStore.Publish(_store.Store, content).ShouldBe(PublishOutcome.Published);
        Flip(content, 0);
        TestStore.Publish(_store.Store, content, epoch: 2).ShouldBe(PublishOutcome.Published);
        using var stored = Open(content);
        (await RawAsync(stored, 0, size)).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
        _store.Store.Quarantined().ShouldBeEmpty();
        Directory.GetFiles(Path.Combine(_store.Root, "quarantine"), "*.reason").Length.ShouldBe(2);
    }

    [Fact]
    public void A_file_that_says_another_size_of_a_right_content_does_not_have_it_set_aside()
    {
        var content = new SampleContent(5000);
        _store.Publish(content);
        _store.Store.ConfirmDurable(content.Fingerprint, 5001).ShouldBeFalse();
        _store.Store.ConfirmDurable(content.Fingerprint, 5000).ShouldBeTrue();
    }
}
