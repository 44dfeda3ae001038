using System.Text;
using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Feed.Reconciliation;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Feed.Reconciliation;

public sealed class JudgeTests
{
    private static readonly Guid _before = new("00000000-0000-0000-0000-00000000000b");
    private static readonly Guid _since = new("00000000-0000-0000-0000-00000000000a");
    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly FileMetadata _metadata = new(
        new ByteString([1]),
        new ByteString([2]),
        ByteString.FromUtf8("a"),
        1,
        new Fingerprint(new byte[32])
    );
    private static readonly FileKey _key = _metadata.ComputeKey();

    private readonly Judge _judge = new(
        new FeedOrder([new LedgerEpoch(_since, _start.AddDays(1), []), new LedgerEpoch(_before, _start, [])])
    );

    [Fact]
    public void What_only_folders_know_and_nobody_saw_removed_is_restored()
    {
        var verdict = Decide([Held("a", At(_before, 5)), Held("b", added: null)], catalog: null);
        verdict.Kind.ShouldBe(VerdictKind.Restore);
        verdict.Holders.ShouldBe(["a", "b"]);
        verdict.Metadata.ShouldBe(_metadata);
    }

    [Theory]
    [InlineData(5, 6, VerdictKind.StaysRemoved)]
    [InlineData(7, 6, VerdictKind.Restore)]
    public void Of_an_Add_and_a_removal_in_one_history_the_later_counts(long added, long removed, VerdictKind expected) =>
        Decide([Held("a", At(_before, added)), Removed("b", At(_before, removed))], catalog: null).Kind.ShouldBe(expected);

    [Fact]
    public void A_history_that_began_later_is_later_whatever_its_numbers()
    {
        Decide([Held("a", At(_since, 1)), Removed("b", At(_before, 900))], null).Kind.ShouldBe(VerdictKind.Restore);
        Decide([Held("a", At(_before, 900)), Removed("b", At(_since, 1))], null).Kind.ShouldBe(VerdictKind.StaysRemoved);
    }

    [Fact]
    public void A_removal_that_the_catalog_knows_stays_unless_a_folder_has_a_later_Add()
    {
        var removed = new CatalogEvidence(_key, FileState.Removed, 1, At(_before, 6));
        Decide([Held("a", At(_before, 5))], removed).Kind.ShouldBe(VerdictKind.StaysRemoved);
        Decide([Held("a", At(_before, 7))], removed).Kind.ShouldBe(VerdictKind.Restore);
        Decide([Held("a", At(_before, 7))], removed with { Last = null }).Kind.ShouldBe(VerdictKind.StaysRemoved);
    }

    [Fact]
    public void A_content_that_a_removal_has_not_reached_yet_stays_removed_unless_it_is_of_a_later_registration()
    {
        var removed = new CatalogEvidence(_key, FileState.Removed, 1, At(_before, 6));
        Decide([Held("a", added: null), Removed("b", At(_before, 6))], removed).Kind.ShouldBe(VerdictKind.StaysRemoved);
        Decide([Held("a", added: null, generation: 2)], removed).Kind.ShouldBe(VerdictKind.Undecided);
        Decide([Held("a", added: null), Held("b", At(_before, 7))], removed).Kind.ShouldBe(VerdictKind.Restore);
    }

    [Fact]
    public void A_later_Add_at_any_folder_counts_for_all()
    {
        FolderEvidence[] folders = [Held("a", At(_before, 5)), Held("b", At(_before, 9)), Removed("c", At(_before, 6))];
        Decide(folders, null).Kind.ShouldBe(VerdictKind.Restore);
    }

    [Fact]
    public void What_an_older_catalog_has_is_removed_again_where_a_folder_saw_a_later_removal()
    {
        var added = new CatalogEvidence(_key, FileState.Added, 1, At(_before, 5));
        Decide([Held("a", At(_before, 5)), Removed("b", At(_before, 6))], added).Kind.ShouldBe(VerdictKind.Remove);
        Decide([Held("a", At(_before, 9)), Removed("b", At(_before, 6))], added).Kind.ShouldBe(VerdictKind.InOrder);
        Decide([Removed("b", At(_before, 4))], added).Kind.ShouldBe(VerdictKind.InOrder);
        Decide([Removed("b", At(_before, 6))], added with { State = FileState.Registered, Last = null })
            .Kind.ShouldBe(VerdictKind.InOrder);
    }

    [Fact]
    public void Where_no_order_can_be_shown_a_person_decides()
    {
        Decide([Held("a", added: null), Removed("b", At(_before, 6))], null).Kind.ShouldBe(VerdictKind.Undecided);
        Decide([Held("a", At(Guid.NewGuid(), 5)), Removed("b", At(_before, 6))], null).Kind.ShouldBe(VerdictKind.Undecided);
    }

    [Fact]
    public void What_is_remembered_and_held_nowhere_is_lost_and_what_is_damaged_is_for_a_person()
    {
        Decide([Held("a", At(_before, 5)) with { Content = HeldContent.Absent }], null).Kind.ShouldBe(VerdictKind.Lost);
        Decide([Held("a", At(_before, 5)) with { Content = HeldContent.Damaged }], null).Kind.ShouldBe(VerdictKind.Undecided);
        Decide([Removed("a", At(_before, 5))], null).Kind.ShouldBe(VerdictKind.InOrder);
    }

    [Fact]
    public void Pins_are_those_of_the_folders_that_have_them()
    {
        var pinned = Held("b", At(_before, 5));
        Decide([Held("a", At(_before, 5)), pinned with { File = pinned.File! with { IsPinned = true } }], null)
            .PinnedAt.ShouldBe(["b"]);
    }

    [Fact]
    public async Task Evidence_of_one_file_comes_together_in_the_order_of_the_keys()
    {
        var keys = Enumerable.Range(0, 40).Select(n => new FileKey(KeyOf(n))).Order().ToList();
        FolderEvidence Of(string node, FileKey key) => new(node, key, null, null, HeldContent.Absent);
        var a = keys.Where((_, i) => i % 2 == 0).Select(key => Of("a", key));
        var b = keys.Where((_, i) => i % 3 == 0).Select(key => Of("b", key));
        var catalog = keys.Where((_, i) => i % 5 == 0).Select(key => new CatalogEvidence(key, FileState.Added, 1, null));

        var seen = new List<(FileKey Key, string Nodes, bool IsKnown)>();
        await foreach (
            var (key, folders, known) in EvidenceMerge.OfAllAsync(
                [a.ToAsyncEnumerable(), b.ToAsyncEnumerable()],
                catalog.ToAsyncEnumerable()
            )
        )
        {
            seen.Add((key, string.Concat(folders.Select(folder => folder.Node)), known is not null));
        }

        seen.ShouldBe(
            keys.Select((key, i) => (key, (i % 2 == 0 ? "a" : "") + (i % 3 == 0 ? "b" : ""), i % 5 == 0))
                .Where(one => one.Item2 != "" || one.Item3)
        );
    }

    [Fact]
    public async Task Evidence_that_is_not_in_the_order_of_the_keys_is_refused()
    {
        var keys = Enumerable.Range(0, 2).Select(n => new FileKey(KeyOf(n))).OrderDescending();
        var folder = keys.Select(key => new FolderEvidence("a", key, null, null, HeldContent.Absent));
        await Should.ThrowAsync<InvalidDataException>(async () =>
        {
            await foreach (
                var _ in EvidenceMerge.OfAllAsync(
                    [folder.ToAsyncEnumerable()],
                    Array.Empty<CatalogEvidence>().ToAsyncEnumerable()
                )
            ) { }
        });
    }

    private Verdict Decide(IReadOnlyList<FolderEvidence> folders, CatalogEvidence? catalog) =>
        _judge.Decide(_key, folders, catalog);

    private static FeedPosition At(Guid epoch, long sequence) => new(epoch, sequence);

    private static FolderEvidence Held(string node, FeedPosition? added, int generation = 1) =>
        new(node, _key, new LedgerFile(_key, _metadata, generation, IsPinned: false, added, _start), null, HeldContent.Here);

    private static FolderEvidence Removed(string node, FeedPosition at) =>
        new(node, _key, null, new LedgerRemoval(_key, at, _start), HeldContent.Absent);

    private static byte[] KeyOf(int n)
    {
        var bytes = new byte[32];
        Blake2b.Hash256(Encoding.ASCII.GetBytes($"{n}"), bytes);
        return bytes;
    }
}
