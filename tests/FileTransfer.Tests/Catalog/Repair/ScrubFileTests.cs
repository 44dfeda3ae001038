using FileTransfer.Catalog.Repair;
using FileTransfer.Tests.Chunks;

namespace FileTransfer.Tests.Catalog.Repair;

public sealed class ScrubFileTests
{
    [Fact]
    public void What_is_saved_is_loaded_and_what_cannot_be_read_begins_anew()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["data"]);
        var file = new ScrubFile(folder["data"]);
        file.Load().ShouldBe(ScrubState.None);
        var pass = new ScrubPass(true, DateTimeOffset.UnixEpoch, "0x12", 1, 2, 3, 4, 5, null);
        var state = new ScrubState(pass, pass with { EndedAt = DateTimeOffset.UnixEpoch.AddDays(1) }, DateTimeOffset.UnixEpoch);
        file.Save(state);
        file.Load().ShouldBe(state);
        File.WriteAllText(Path.Combine(folder["data"], "scrub.json"), "{\"now\":");
        file.Load().ShouldBe(ScrubState.None);
    }

    [Fact]
    public void Contents_are_gone_through_in_the_order_of_their_fingerprints_and_from_any_of_them_on()
    {
        using var store = new TestStore();
        var contents = Enumerable.Range(1, 40).Select(seed => new SampleContent(100, seed)).ToArray();
        Array.ForEach(contents, store.Publish);
        var sorted = contents
            .Select(content => content.Fingerprint)
            .OrderBy(fingerprint => fingerprint.ToHex(), StringComparer.Ordinal)
            .ToList();
        store.Store.ContentsAfter(null).Select(found => found.Fingerprint).ShouldBe(sorted);
        foreach (var at in new[] { 0, 7, 38, 39 })
        {
            store.Store.ContentsAfter(sorted[at]).Select(found => found.Fingerprint).ShouldBe(sorted[(at + 1)..]);
        }
    }
}
