using System.Text;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Chunks.Ledger;

public sealed partial class FolderLedgerTests
{
    private static readonly Guid _epoch = Guid.Parse("9f0c2ab0-4e5f-4c9e-8e43-5d3d7f1f6a01");
    private static readonly DateTimeOffset _now = DateTimeOffset.FromUnixTimeMilliseconds(1_900_000_000_123);

    [Fact]
    public async Task What_was_recorded_is_there_after_a_kill()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var small = File(1, 100);
        var large = File(2, ChunkStore.SmallUpTo + 1);
        await ledger.RecordAsync([small, large], []);

        using var killed = StoppedLedger.Open(store.CopyAs("killed"));

        killed.Damage.ShouldBeNull();
        killed.Files().ShouldBe([small, large], ignoreOrder: true);
    }

    [Fact]
    public async Task Larger_files_are_known_without_the_engine()
    {
        using var store = new TestStore();
        await Open(store).RecordAsync([File(1, 100), File(2, ChunkStore.SmallUpTo + 1)], []);
        store.Store.Dispose();
        System.IO.File.Delete(Path.Combine(store.Root, "small.db"));
        using var stopped = StoppedLedger.Open(store.Root);

        stopped.Damage.ShouldNotBeNull();
        stopped.Files().ShouldBe([File(2, ChunkStore.SmallUpTo + 1)]);
    }

    [Fact]
    public async Task The_position_of_an_Add_comes_later_and_stays_when_the_file_is_recorded_again()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var file = File(1, 100) with { Added = null };
        await ledger.RecordAsync([file], []);
        var at = new FeedPosition(_epoch, 7);
        ledger.Follow(file.Key.Bin, at, [new LedgerMutation(file.Key, at, IsRemoval: false, 1)], _now);
        await ledger.RecordAsync([file], []);

        ledger.Find(file.Key).ShouldBe(file with { Added = at });
        ledger.Cursors().ShouldHaveSingleItem().ShouldBe(KeyValuePair.Create(file.Key.Bin, at));

        var again = file with { Generation = 2 };
        await ledger.RecordAsync([again], []);
        ledger.Find(file.Key).ShouldBe(again);
    }

    [Fact]
    public async Task A_file_that_was_added_again_before_the_ledger_saw_its_removal_stays_known()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var again = File(1, 100) with { Generation = 2, Added = null };
        await ledger.RecordAsync([again], []);
        var added = new FeedPosition(_epoch, 1);
        ledger.Follow(again.Key.Bin, added, [new LedgerMutation(again.Key, added, IsRemoval: false, 1)], _now);
        Removed(ledger, again, 2);
        await ledger.SetPoliciesAsync([]);
        ledger.Find(again.Key).ShouldBe(again);

        var addedAgain = new FeedPosition(_epoch, 3);
        ledger.Follow(again.Key.Bin, addedAgain, [new LedgerMutation(again.Key, addedAgain, IsRemoval: false, 2)], _now);
        await ledger.SetPoliciesAsync([]);
        ledger.Find(again.Key).ShouldBe(again with { Added = addedAgain });
        ledger.Removals(null, 10).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_removal_outlives_an_older_catalog_that_is_read_from_its_begin()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var file = File(1, 100);
        var later = new FeedPosition(Guid.NewGuid(), 7);
        await ledger.SetEpochsAsync([new LedgerEpoch(_epoch, _now, []), new LedgerEpoch(later.Epoch, _now.AddDays(1), [])]);
        ledger.Follow(file.Key.Bin, later, [new LedgerMutation(file.Key, later, IsRemoval: true, 1)], _now);

        var older = new FeedPosition(_epoch, 9);
        ledger.Follow(file.Key.Bin, older, [new LedgerMutation(file.Key, older, IsRemoval: false, 1)], _now);
        Removed(ledger, file, 8);
        await ledger.SetPoliciesAsync([]);
        ledger.Removals(null, 10).ShouldBe([new LedgerRemoval(file.Key, later, _now)]);
    }

    [Fact]
    public async Task A_removal_is_remembered_for_a_year_and_ended_by_a_later_Add()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var (kept, added) = (File(1, 100), File(2, 100));
        await ledger.RecordAsync([kept, added], []);
        Removed(ledger, kept, 8);
        Removed(ledger, added, 9);
        ledger.Follow(
            added.Key.Bin,
            new FeedPosition(_epoch, 10),
            [new LedgerMutation(added.Key, new FeedPosition(_epoch, 10), false, 1)],
            _now
        );
        await ledger.SetPoliciesAsync([]);

        ledger.Removals(null, 10).ShouldBe([new LedgerRemoval(kept.Key, new FeedPosition(_epoch, 8), _now)]);
        ledger.Find(kept.Key).ShouldBe(kept);

        ledger.ForgetOldRemovals(_now + FolderLedger.RemovalsKept);
        await ledger.SetPoliciesAsync([]);
        ledger.Removals(null, 10).Count.ShouldBe(1);
        ledger.ForgetOldRemovals(_now + FolderLedger.RemovalsKept + TimeSpan.FromMilliseconds(1));
        await ledger.SetPoliciesAsync([]);
        ledger.Removals(null, 10).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_was_stored_again_after_its_removal_stays_remembered()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var again = File(1, 100) with { Generation = 2, Added = null };
        await ledger.RecordAsync([again], []);
        Removed(ledger, again, 8);
        await ledger.SetPoliciesAsync([]);

        ledger.Find(again.Key).ShouldBe(again);
    }

    [Fact]
    public async Task A_content_is_referred_to_until_its_last_file_is_forgotten()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var large = ChunkStore.SmallUpTo + 1;
        var one = File(1, large);
        var other = one with { Metadata = one.Metadata with { Location = ByteString.FromUtf8("other") } };
        other = other with { Key = other.Metadata.ComputeKey() };
        await ledger.RecordAsync([one, other], []);
        ledger.RefersTo(one.Fingerprint, except: one.Key).ShouldBeTrue();
        ledger.FilesBesideContents().ShouldBe([one, other], ignoreOrder: true);

        ledger.Forget(other.Key, other.Fingerprint, large);

        ledger.RefersTo(one.Fingerprint, except: one.Key).ShouldBeFalse();
        ledger.FilesBesideContents().ShouldBe([one]);
        ledger.Forget(one.Key, one.Fingerprint, large);
        ledger.FilesBesideContents().ShouldBeEmpty();
        var never = File(3, large);
        ledger.Forget(never.Key, never.Fingerprint, large);
    }

    [Fact]
    public async Task Policies_and_histories_are_kept()
    {
        using var store = new TestStore();
        var policy = new LedgerPolicy(
            ByteString.FromUtf8("b"),
            "nothing-except",
            [ByteString.FromUtf8("a/"), ByteString.FromUtf8("c")],
            []
        );
        var epoch = new LedgerEpoch(_epoch, _now, [.. Enumerable.Range(0, 16).Select(head => (long)head)]);
        var ledger = Open(store);
        await ledger.SetPoliciesAsync([policy]);
        await ledger.SetEpochsAsync([epoch]);

        using var stopped = StoppedLedger.Open(store.Root);
        var found = stopped.Policies().ShouldHaveSingleItem();
        (found.Bucket, found.Kind).ShouldBe((policy.Bucket, policy.Kind));
        found.Prefixes.ShouldBe(policy.Prefixes);
        found.Exacts.ShouldBeEmpty();
        stopped.Epochs().ShouldHaveSingleItem().Heads.ShouldBe(epoch.Heads);
    }

    [Fact]
    public async Task Many_writers_at_once_are_all_kept()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        var files = Enumerable.Range(0, 200).Select(seed => File(seed, 100)).ToList();

        await Task.WhenAll(files.Select(file => Task.Run(() => ledger.RecordAsync([file], []))));

        ledger.Files(null, 1000).ShouldBe(files, ignoreOrder: true);
    }

    private static FolderLedger Open(TestStore store) => new(store.Store);

    private static void Removed(FolderLedger ledger, LedgerFile file, long sequence)
    {
        var at = new FeedPosition(_epoch, sequence);
        ledger.Follow(file.Key.Bin, at, [new LedgerMutation(file.Key, at, IsRemoval: true, 1)], _now);
    }

    private static LedgerFile File(int seed, long size)
    {
        var metadata = new FileMetadata(
            ByteString.FromUtf8("owner"),
            ByteString.FromUtf8("bucket"),
            ByteString.FromUtf8($"file-{seed}"),
            (ulong)size,
            new Fingerprint(Blake2b.Hash256(Encoding.ASCII.GetBytes($"content {seed}")).ToArray())
        );
        return new LedgerFile(metadata.ComputeKey(), metadata, 1, IsPinned: false, new FeedPosition(_epoch, 1), _now);
    }
}
