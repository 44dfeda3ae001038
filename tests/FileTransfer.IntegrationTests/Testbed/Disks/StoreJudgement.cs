using System.Globalization;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>Opens a store on what a power failure left and looks whether it kept its promises.</summary>
internal static class StoreJudgement
{
    /// <summary>What each content is at an entry of the log, by the marks before it; "coming" and "leaving" may be either.</summary>
    public static Dictionary<int, string> StandingAt(DiskHistory history, int cut)
    {
        var standing = new Dictionary<int, string>();
        foreach (var (at, text) in history.Marks)
        {
            if (at < cut)
            {
                var parts = text.Split(' ');
                standing[int.Parse(parts[1], CultureInfo.InvariantCulture)] = parts[0];
            }
        }

        return standing;
    }

    public static async Task JudgeAsync(string data, IReadOnlyList<ScriptContent> contents, Dictionary<int, string> standing)
    {
        using (var store = StoreScript.Open(data))
        {
            AllAreWhatTheirNamesSay(store, contents);
            foreach (var content in contents)
            {
                Judge(store, data, content, standing.GetValueOrDefault(content.Index, "absent"));
            }

            JudgeLedger(store, contents.Where(content => standing.GetValueOrDefault(content.Index) == "stored"));
            foreach (var partial in store.Partials().ToList())
            {
                await ResumeAsync(store, contents.Single(content => content.Key == partial.Key));
            }
        }

        // What it repaired is whole as well, and can be opened again.
        using var again = StoreScript.Open(data);
        AllAreWhatTheirNamesSay(again, contents);
        again.Partials().ShouldBeEmpty();
    }

    private static void AllAreWhatTheirNamesSay(ChunkStore store, IReadOnlyList<ScriptContent> contents)
    {
        foreach (var found in store.Contents())
        {
            var content = contents.SingleOrDefault(content => content.Fingerprint == found.Fingerprint);
            content.ShouldNotBeNull($"{found.Fingerprint} is the name of nothing");
            using var stored = store.TryOpen(found.Fingerprint)!;
            ReadAll(stored).AsSpan().SequenceEqual(content.Bytes).ShouldBeTrue($"{content} has other bytes");
        }

        foreach (var key in store.VisibleFiles())
        {
            using var visible = store.TryOpen(key);
            (visible is null || contents.Single(content => content.Key == key).Fingerprint == visible.Fingerprint).ShouldBeTrue();
        }
    }

    private static void Judge(ChunkStore store, string data, ScriptContent content, string standing)
    {
        switch (standing)
        {
            case "stored":
                store
                    .ConfirmDurable(content.Fingerprint, content.Bytes.Length)
                    .ShouldBeTrue($"{content} was acknowledged and is lost");
                using (var stored = store.TryOpen(content.Fingerprint)!)
                {
                    store.Prove(stored);
                    stored.Proof!.Hashes.ComputeFingerprint().ShouldBe(content.Fingerprint, $"{content} has other chunk hashes");
                }

                break;
            case "absent" or "gone" or "aside":
                store.Contains(content.Fingerprint, content.Bytes.Length).ShouldBeFalse($"{content} is {standing} and came back");
                break;
        }

        if (standing == "aside")
        {
            var kept = Path.Combine(data, "quarantine", content.Fingerprint.ToHex());
            File.Exists(kept).ShouldBeTrue($"{content} was set aside and is lost");
            File.ReadAllText(kept + ".reason").ShouldNotBeEmpty();
        }
    }

    /// <summary>Whatever was acknowledged can be named again, and a power failure is no damage to the engine.</summary>
    private static void JudgeLedger(ChunkStore store, IEnumerable<ScriptContent> stored)
    {
        var ledger = new FolderLedger(store);
        ledger.SetAsideBecause.ShouldBeNull();
        var beside = ledger.FilesBesideContents().Select(file => file.Key).ToHashSet();
        foreach (var content in stored)
        {
            ledger.Find(content.Key)?.Metadata.ShouldBe(content.Metadata, $"{content} was acknowledged and its name is lost");
            (ChunkStore.IsSmall(content.Bytes.Length) || beside.Contains(content.Key)).ShouldBeTrue();
        }
    }

    /// <summary>What a partial says it has is right: the rest is put, and the whole is the content.</summary>
    private static async Task ResumeAsync(ChunkStore store, ScriptContent content)
    {
        using var partial = store.OpenPartial(content.Key, long.MaxValue, content.Fingerprint, content.Bytes.Length);
        await partial.RevalidateFromDiskAsync(CancellationToken.None);
        if (!partial.HashesProven)
        {
            partial.Hashes.WriteEncoded(0, content.Hashes);
            partial.VerifyHashes().ShouldBeTrue();
            await partial.RevalidateFromDiskAsync(CancellationToken.None);
        }

        for (var from = 0L; partial.TryNextMissing(from, 1024, out var first, out var count); from = first + count)
        {
            var offset = (int)first * ChunkFrame.ChunkLength;
            var length = Math.Min(count * ChunkFrame.ChunkLength, content.Bytes.Length - offset);
            partial.Put(first, content.Bytes.AsSpan(offset, length)).ShouldBe(PutOutcome.Stored);
        }

        partial.ProveWhole().ShouldBeTrue();
        if (partial.ReadSmall() is { } small)
        {
            await new FolderLedger(store).RecordAsync([], [small]);
            partial.Discard();
        }
        else
        {
            store.MakeDurable(partial);
        }

        using var stored = store.TryOpen(content.Fingerprint)!;
        ReadAll(stored).AsSpan().SequenceEqual(content.Bytes).ShouldBeTrue($"the resumed {content} has other bytes");
    }

    private static byte[] ReadAll(OpenContent content)
    {
        var bytes = new byte[content.Size];
        content.ReadExactly(0, bytes);
        return bytes;
    }
}
