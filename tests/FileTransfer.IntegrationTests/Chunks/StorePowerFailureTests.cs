using FileTransfer.IntegrationTests.Testbed.Disks;

namespace FileTransfer.IntegrationTests.Chunks;

/// <summary>
/// The store by itself: what it said was durable outlives a power failure after any of its system calls, on any file system that keeps
/// what was flushed, and what is there afterwards is proven.
/// </summary>
public sealed class StorePowerFailureTests(ITestOutputHelper output)
{
    [Thorough]
    [PowerFailureFact]
    public Task No_acknowledged_content_is_lost_and_nothing_unproven_is_there_after_a_power_failure_at_any_moment() =>
        TryAsync(
            withLarge: false,
            seeds: Showing.Of(1, 6),
            steps: Showing.Of(30, 60),
            every: Showing.Of(9, 2),
            statesPerCut: Showing.Of(1, 3)
        );

    [PowerFailureFact]
    public Task The_same_with_a_content_that_keeps_its_chunk_hashes() =>
        TryAsync(
            withLarge: true,
            seeds: Showing.Of(1, 3),
            steps: Showing.Of(10, 25),
            every: Showing.Of(15, 3),
            statesPerCut: Showing.Of(1, 2)
        );

    /// <summary>The trials above see what they should: the log holds all that was done, and without its flushes contents are lost.</summary>
    [PowerFailureFact]
    public async Task The_log_holds_all_that_was_done_and_a_store_that_flushed_nothing_would_be_found_out()
    {
        using var place = new FastFolder();
        var folder = Directory.CreateDirectory(place["script"]).FullName;
        const int seed = 7;
        var entries = StoreScript.Record(folder, seed, steps: 30, withLarge: false);
        var root = StoreScript.RootIn(folder);
        var contents = ScriptContent.Of(seed, withLarge: false);

        var whole = new DiskHistory(root, entries);
        var copy = Directory.CreateDirectory(place["copy"]).FullName;
        new CrashState(whole, whole.Count, JournalRule.OneForAll, Kept.Everything, 0).Write(copy);
        Listing(copy).ShouldBe(Listing(root));

        var unflushed = new DiskHistory(root, entries, flushes: false);
        var state = new CrashState(unflushed, unflushed.Count, JournalRule.OneForAll, Kept.Nothing, 0);
        var standing = StoreJudgement.StandingAt(unflushed, unflushed.Count);
        standing.ContainsValue("stored").ShouldBeTrue();
        await Assert.ThrowsAsync<ShouldAssertException>(() => TryAsync(state, place["after"], contents, standing, "no flush"));
    }

    private async Task TryAsync(bool withLarge, int seeds, int steps, int every, int statesPerCut)
    {
        using var place = new FastFolder();
        var first = Environment.TickCount & 0xFFFF;
        var states = 0;
        var cuts = 0;
        for (var seed = first; seed < first + seeds; seed++)
        {
            var folder = Directory.CreateDirectory(place[$"{seed}"]).FullName;
            var history = new DiskHistory(StoreScript.RootIn(folder), StoreScript.Record(folder, seed, steps, withLarge));
            history.Marks.Count.ShouldBeGreaterThan(steps / 4);
            var contents = ScriptContent.Of(seed, withLarge);
            var seen = new HashSet<(int, string)>();
            for (var cut = 1 + (seed % every); cut <= history.Count; cut += every)
            {
                cuts++;
                var standing = StoreJudgement.StandingAt(history, cut);
                var standings = string.Join(',', standing.OrderBy(pair => pair.Key));
                foreach (var (state, name) in States(history, cut, statesPerCut, seed))
                {
                    if (seen.Add((state.Identity, standings)))
                    {
                        states++;
                        await TryAsync(
                            state,
                            Path.Combine(folder, "after"),
                            contents,
                            standing,
                            $"seed {seed}, entry {cut}, {name}"
                        );
                    }
                }
            }

            Directory.Delete(folder, recursive: true);
        }

        output.WriteLine($"{states} different states after {cuts} moments were tried; first seed {first}");
        Showing.Tell($"states after a power failure tried on the store{(withLarge ? ", with a large content" : "")}", states);
    }

    /// <summary>Every file with its length and bytes, except what SQLite keeps in shared memory.</summary>
    private static List<string> Listing(string folder) =>
        [
            .. Directory
                .EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
                .Where(path => !path.EndsWith("-shm", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(path => $"{Path.GetRelativePath(folder, path)} {new FileInfo(path).LinkTarget} {DigestOf(path)}"),
        ];

    private static string DigestOf(string path) =>
        File.Exists(path) && new FileInfo(path).LinkTarget is null
            ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))
            : "";

    internal static IEnumerable<(CrashState State, string Name)> States(DiskHistory history, int cut, int count, int seed)
    {
        foreach (var rule in Enum.GetValues<JournalRule>())
        {
            yield return (new CrashState(history, cut, rule, Kept.Nothing, 0), $"{rule}, nothing kept");
            for (var i = 0; i < count; i++)
            {
                var chance = (seed * 1_000_003) ^ (cut * 31) ^ i;
                yield return (new CrashState(history, cut, rule, Kept.SomeOfIt, chance), $"{rule}, chance {chance}");
            }
        }

        yield return (new CrashState(history, cut, JournalRule.OneForAll, Kept.Everything, 0), "everything kept");
    }

    private static async Task TryAsync(
        CrashState state,
        string folder,
        IReadOnlyList<ScriptContent> contents,
        Dictionary<int, string> standing,
        string name
    )
    {
        Directory.CreateDirectory(folder);
        state.Write(folder);
        try
        {
            await StoreJudgement.JudgeAsync(Path.Combine(folder, "data"), contents, standing);
        }
        catch (Exception exception)
        {
            throw new ShouldAssertException($"After a power failure ({name}): {exception.Message}", exception);
        }

        Directory.Delete(folder, recursive: true);
    }
}
