using System.Diagnostics;
using System.Globalization;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Chunks.Ledger;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>
/// A process that does to a store what nodes do, in an order that chance decides, and marks in its log what it could have acknowledged:
/// <c>dotnet FileTransfer.IntegrationTests.dll store-script FOLDER SEED STEPS LARGE</c>.
/// </summary>
internal sealed class StoreScript : IDisposable
{
    public const string Name = "store-script";

    private readonly string _folder;
    private readonly Random _random;
    private readonly IReadOnlyList<ScriptContent> _contents;
    private readonly HashSet<ScriptContent> _stored = [];
    private ChunkStore _store;
    private FolderLedger _ledger;
    private long _epoch;

    private StoreScript(string folder, int seed, bool withLarge)
    {
        _folder = folder;
        _random = new Random(seed);
        _contents = ScriptContent.Of(seed, withLarge);
        _store = Open(folder);
        _ledger = new FolderLedger(_store);
    }

    public static ChunkStore Open(string folder) => new(folder, new FreeSpaceFloor(0), NullLogger<ChunkStore>.Instance);

    /// <summary>Runs it in a process of its own and returns what it did to its disk.</summary>
    public static IReadOnlyList<DiskEntry> Record(string folder, int seed, int steps, bool withLarge) =>
        Record(
            folder,
            Name,
            seed.ToString(CultureInfo.InvariantCulture),
            steps.ToString(CultureInfo.InvariantCulture),
            withLarge.ToString()
        );

    /// <summary>Runs a script on a data folder in a process of its own and returns what it did to its disk.</summary>
    public static IReadOnlyList<DiskEntry> Record(string folder, string script, params string[] arguments)
    {
        var root = Directory.CreateDirectory(RootIn(folder)).FullName;
        var log = new DiskLog(root, Path.Combine(folder, "log"));
        var start = new ProcessStartInfo(
            "dotnet",
            ["exec", typeof(StoreScript).Assembly.Location, script, Path.Combine(root, "data"), .. arguments]
        )
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in log.Settings())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, error);
        return log.Read();
    }

    /// <summary>The folder that is written down.</summary>
    public static string RootIn(string folder) => Path.Combine(folder, "root");

    public static async Task<int> RunAsync(string[] args)
    {
        using var script = new StoreScript(args[0], int.Parse(args[1], CultureInfo.InvariantCulture), bool.Parse(args[3]));
        for (var step = int.Parse(args[2], CultureInfo.InvariantCulture); step > 0; step--)
        {
            await script.StepAsync();
        }

        return 0;
    }

    public void Dispose() => _store.Dispose();

    private async Task StepAsync()
    {
        switch (_random.Next(13))
        {
            case 0 or 1 or 2:
                await PublishPartialAsync(Absent());
                break;
            case 3:
                await PublishIncomingAsync(Absent());
                break;
            case 4 or 5:
                await PublishTogetherAsync();
                break;
            case 6 or 7:
                LeavePartial(Absent());
                break;
            case 8 or 9:
                Leave(
                    "gone",
                    content =>
                    {
                        _ledger.Forget(content.Key, content.Fingerprint, content.Bytes.Length);
                        _store.DeleteContent(content.Fingerprint);
                    }
                );
                break;
            case 10:
                await _store.MoveAsync([.. _store.SmallFiles().Select(content => content.Fingerprint)], CancellationToken.None);
                break;
            case 11:
                Leave("aside", content => _store.Quarantine(content.Fingerprint, "A test wants it so."));
                break;
            default:
                Dispose();
                _store = Open(_folder);
                _ledger = new FolderLedger(_store);
                break;
        }
    }

    private async Task PublishPartialAsync(ScriptContent? content)
    {
        if (content is null)
        {
            return;
        }

        using var partial = await OpenAsync(content);
        PutMissing(partial, content, share: 1);
        partial.ProveWhole().ShouldBeTrue();
        if (partial.ReadSmall() is { } small)
        {
            await PublishAsync([content], [small], () => { });
            partial.Discard();
        }
        else
        {
            await PublishAsync([content], [], () => _store.MakeDurable(partial));
        }
    }

    private async Task PublishIncomingAsync(ScriptContent? content)
    {
        if (content is null)
        {
            return;
        }

        using var incoming = _store.CreateIncoming();
        incoming.Append(content.Bytes);
        incoming.Complete().ShouldBe(content.Fingerprint);
        if (incoming.Small is { } small)
        {
            await PublishAsync([content], [small], () => { });
        }
        else
        {
            await PublishAsync([content], [], () => _store.MakeDurable(incoming));
        }
    }

    private async Task PublishTogetherAsync()
    {
        var group = _contents
            .Where(content => content.IsInGroups && !_stored.Contains(content))
            .Take(_random.Next(1, 9))
            .ToList();
        var proven = group.ConvertAll(content => ProvenBytes.TryProve(content.Fingerprint, content.Bytes)!);

        // As files, too, as earlier versions did it.
        var small = _random.Next(3) == 0 ? [] : proven.FindAll(content => ChunkStore.IsSmall(content.Bytes.Length));
        await PublishAsync(group, small, () => _store.MakeDurable([.. proven.Except(small)]));
    }

    private void LeavePartial(ScriptContent? content)
    {
        if (content is null)
        {
            return;
        }

        if (_random.Next(4) == 0)
        {
            _store.DiscardPartials(content.Key);
            return;
        }

        using var partial = _store.OpenPartial(content.Key, ++_epoch, content.Fingerprint, content.Bytes.Length);
        partial.Hashes.WriteEncoded(0, content.Hashes);
        partial.VerifyHashes().ShouldBeTrue();
        partial.KeepHashes();
        PutMissing(partial, content, share: 2);
    }

    private async Task<PartialFile> OpenAsync(ScriptContent content)
    {
        var partial = _store.OpenPartial(content.Key, ++_epoch, content.Fingerprint, content.Bytes.Length, _random.Next(2) == 0);
        if (_random.Next(3) == 0)
        {
            // An upload: the hashes are computed from what comes.
            return partial;
        }

        await partial.RevalidateFromDiskAsync(CancellationToken.None);
        if (!partial.HashesProven)
        {
            partial.Hashes.WriteEncoded(0, content.Hashes);
            partial.VerifyHashes().ShouldBeTrue();
            partial.KeepHashes();
            await partial.RevalidateFromDiskAsync(CancellationToken.None);
        }

        return partial;
    }

    /// <summary>Puts one in <paramref name="share"/> runs of what is missing.</summary>
    private void PutMissing(PartialFile partial, ScriptContent content, int share)
    {
        for (
            var from = 0L;
            partial.TryNextMissing(from, _random.Next(1, 700), out var first, out var count);
            from = first + count
        )
        {
            if (_random.Next(share) == 0)
            {
                var offset = (int)first * ChunkFrame.ChunkLength;
                var length = Math.Min(count * ChunkFrame.ChunkLength, content.Bytes.Length - offset);
                partial.Put(first, content.Bytes.AsSpan(offset, length)).ShouldBe(PutOutcome.Stored);
            }
        }
    }

    private async Task PublishAsync(List<ScriptContent> contents, List<ProvenBytes> small, Action makeDurable)
    {
        contents.ForEach(content => DiskLog.MarkHere($"coming {content.Index}"));
        var recorded = _ledger.RecordAsync(
            contents.ConvertAll(content => new LedgerFile(
                content.Key,
                content.Metadata,
                1,
                false,
                null,
                DateTimeOffset.UnixEpoch
            )),
            small
        );
        makeDurable();
        await recorded;
        foreach (var content in contents)
        {
            DiskLog.MarkHere($"stored {content.Index}");
            _store.MakeVisible(content.Key);
            _stored.Add(content);
        }
    }

    private void Leave(string how, Action<ScriptContent> leave)
    {
        if (_stored.Count == 0)
        {
            return;
        }

        var content = _stored.ElementAt(_random.Next(_stored.Count));
        DiskLog.MarkHere($"leaving {content.Index}");
        _store.Hide(content.Key);
        leave(content);
        _stored.Remove(content);
        DiskLog.MarkHere($"{how} {content.Index}");
    }

    private ScriptContent? Absent()
    {
        var absent = _contents.Where(content => !_stored.Contains(content)).ToList();
        return absent.Count == 0 ? null : absent[_random.Next(absent.Count)];
    }
}
