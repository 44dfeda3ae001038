using FileTransfer.IntegrationTests.Testbed.Disks;

namespace FileTransfer.IntegrationTests.Chunks.Folder;

/// <summary>Whose folder it is outlives a power failure at any moment: of a join, of a look at the catalog, of an adoption.</summary>
public sealed class FolderPowerFailureTests(ITestOutputHelper output)
{
    [PowerFailureFact]
    public void A_folder_is_whose_it_was_or_whose_it_is_now_after_a_power_failure_at_any_moment()
    {
        using var place = new FastFolder();
        var folder = Directory.CreateDirectory(place["script"]).FullName;
        var history = new DiskHistory(StoreScript.RootIn(folder), StoreScript.Record(folder, FolderScript.Name));
        FolderScript.WrittenAt(history, history.Count).ShouldBe(12);
        var seen = new HashSet<(int, int)>();
        for (var cut = 1; cut <= history.Count; cut += Showing.Of(2, 1))
        {
            var written = FolderScript.WrittenAt(history, cut);
            foreach (var (state, name) in StorePowerFailureTests.States(history, cut, Showing.Of(1, 6), seed: 1))
            {
                if (seen.Add((state.Identity, written)))
                {
                    Try(state, place["after"], written, $"entry {cut}, {name}");
                }
            }
        }

        output.WriteLine($"{seen.Count} different states after {history.Count} moments were tried");
        Showing.Tell("states after a power failure tried on node.json and an adoption", seen.Count);
    }

    /// <summary>The trial above sees what it should: without flushes a folder would say nothing.</summary>
    [PowerFailureFact]
    public void A_folder_that_flushed_nothing_would_be_found_out()
    {
        using var place = new FastFolder();
        var folder = Directory.CreateDirectory(place["script"]).FullName;
        var entries = StoreScript.Record(folder, FolderScript.Name);
        var unflushed = new DiskHistory(StoreScript.RootIn(folder), entries, flushes: false);
        var state = new CrashState(unflushed, unflushed.Count, JournalRule.OneForAll, Kept.Nothing, 0);

        Should.Throw<ShouldAssertException>(() => Try(state, place["after"], 12, "no flush"));
    }

    private static void Try(CrashState state, string folder, int written, string name)
    {
        Directory.CreateDirectory(folder);
        state.Write(folder);
        try
        {
            FolderScript.Judge(Path.Combine(folder, "data"), written);
        }
        catch (Exception exception)
        {
            throw new ShouldAssertException($"After a power failure ({name}): {exception.Message}", exception);
        }

        Directory.Delete(folder, recursive: true);
    }
}
