using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A node whose power can fail: it is killed after a system call, and its folder becomes what a disk could then hold.</summary>
/// <remarks>The database is another machine: what it has committed stays.</remarks>
internal sealed class PoweredNode(TestCluster cluster, string id, (string Name, string Value)[] settings) : IAsyncDisposable
{
    private readonly List<NodeProcess> _processes = [];
    private DiskSnapshot? _before;
    private int _lives;

    public NodeProcess? Process { get; private set; }

    private string Folder => cluster.FolderOf(id);

    /// <summary>Starts it; its power fails after so many entries of its log. Null: not at all.</summary>
    public async Task StartAsync(int? cut)
    {
        Directory.CreateDirectory(Folder);
        var all = settings.ToDictionary(setting => setting.Name, setting => setting.Value);
        if (cut is not null)
        {
            _before = DiskSnapshot.Of(Folder);
            foreach (var (name, value) in new DiskLog(Folder, LogFile(++_lives)).Settings(cut))
            {
                all[name] = value;
            }
        }

        // Former lives are disposed of at the end: clients may still be asking one of them.
        var process = NodeProcess.Launch(id, Folder, cluster.ConnectionString, all);
        _processes.Add(process);
        Process = process;
        await Eventually.HoldsAsync(
            async () => process.HasExited || (await process.Http.GetAsync("/health/live")).IsSuccessStatusCode,
            $"{id} answers, or its power has failed"
        );
    }

    /// <summary>Waits for the failure, or brings it about when its moment has not come by then.</summary>
    public async Task FailAsync(TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        try
        {
            await Process!.WaitForExitAsync().WaitAsync(deadline.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            await Process!.KillAsync();
        }

        Process!.ExitCode.ShouldBe(128 + 9, Process.Log);
    }

    /// <summary>Looks at states that the failure could have left, and leaves the folder as one of them.</summary>
    /// <returns>How many states were looked at, all different.</returns>
    public async Task<int> LoseWhatWasNotFlushedAsync(Random random, int states)
    {
        var log = new DiskLog(Folder, LogFile(_lives));
        var history = new DiskHistory(Folder, log.Read(), _before);
        var stored = await StoredAsync();
        using var place = new FastFolder();
        var seen = new HashSet<int>();
        CrashState? left = null;
        for (var i = 0; i < states; i++)
        {
            var kept = i == 0 ? Kept.Nothing : Kept.SomeOfIt;
            var seed = random.Next();
            var rule = i % 2 == 0 ? JournalRule.OneForAll : JournalRule.OneForEachFolder;
            left = new CrashState(history, history.Count, rule, kept, seed);
            if (seen.Add(left.Identity))
            {
                var after = Directory.CreateDirectory(place[$"{i}"]).FullName;
                left.Write(after);
                Judge(after, stored, $"{id} after {history.Count} entries, {rule} {kept} {seed}");
                Directory.Delete(after, recursive: true);
            }
        }

        Directory.Delete(Folder, recursive: true);
        Directory.CreateDirectory(Folder);
        left!.Write(Folder);
        File.Delete(LogFile(_lives));
        return seen.Count;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }
    }

    private string LogFile(int life) => Path.Combine(cluster.Folder, $"{id}.{life}.log");

    /// <summary>What the catalog says this node has.</summary>
    private async Task<List<(FileKey Key, Fingerprint Fingerprint, long Size)>> StoredAsync()
    {
        // The power may fail before the first node has made the catalog.
        if (!await cluster.Database.ScalarAsync<bool>("SELECT to_regclass('filetransfer.replicas') IS NOT NULL"))
        {
            return [];
        }

        await using var command = cluster.Database.Pool.CreateCommand(
            $"""
            SELECT file_key, fingerprint, size FROM filetransfer.replicas JOIN filetransfer.files USING (file_key)
            WHERE node_id = '{id}' AND replicas.state = 'stored'
            """
        );
        var stored = new List<(FileKey, Fingerprint, long)>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            stored.Add(
                (
                    new FileKey(new Hash256(reader.GetFieldValue<byte[]>(0))),
                    new Fingerprint(new Hash256(reader.GetFieldValue<byte[]>(1))),
                    reader.GetInt64(2)
                )
            );
        }

        return stored;
    }

    /// <summary>Every stored file has its content and its name, and every content is what its name says.</summary>
    private static void Judge(string folder, List<(FileKey Key, Fingerprint Fingerprint, long Size)> stored, string state)
    {
        using var store = StoreScript.Open(folder);
        var ledger = new FolderLedger(store);
        ledger.SetAsideBecause.ShouldBeNull(state);
        var beside = ledger.FilesBesideContents().Select(file => file.Key).ToHashSet();
        foreach (var (key, fingerprint, size) in stored)
        {
            store.Contains(fingerprint, size).ShouldBeTrue($"{state}: the content of {key}, {size} bytes, is lost");
            (beside.Contains(key) || ledger.Find(key) is not null).ShouldBeTrue($"{state}: the name of {key} is lost");
        }

        foreach (var content in store.Contents())
        {
            using var opened = store.TryOpen(content.Fingerprint)!;
            var bytes = new byte[opened.Size];
            opened.ReadExactly(0, bytes);
            ContentFingerprint.Of(bytes).ShouldBe(content.Fingerprint, $"{state}: other bytes");
        }
    }
}
