using System.Diagnostics;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Tests.Chunks.Durability;

/// <summary>On a real file system of a few megabytes, where this process may mount one.</summary>
public sealed class DiskFullTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_full_disk_is_told_apart_keeps_what_was_proven_and_is_recovered_from()
    {
        using var disk = SmallDisk.TryMount("8m", output);
        if (disk is null)
        {
            return;
        }

        using var store = TestStore.Open(disk.Path);
        var content = new SampleContent(12 * 1024 * 1024);
        using (var partial = store.OpenPartial(content.Key, 1, content.Fingerprint, content.Data.Length))
        {
            partial.Hashes.WriteEncoded(0, content.Encoded);
            partial.VerifyHashes().ShouldBeTrue();
            var full = Should.Throw<DiskFullException>(() => PutAll(partial, content, from: 0));
            full.Path.ShouldStartWith(disk.Path);
            full.BytesFree.ShouldNotBeNull();
            full.BytesFree.Value.ShouldBeLessThan(1024 * 1024);
            full.Message.ShouldContain("bytes are free");
            partial.BytesProven.ShouldBeInRange(4 * 1024 * 1024, 8 * 1024 * 1024);
            store.FreeSpace().BytesFree.ShouldBeLessThan(1024 * 1024);
        }

        disk.Enlarge("64m");
        using var resumed = store.OpenPartial(content.Key, 2, content.Fingerprint, content.Data.Length);
        await resumed.RevalidateFromDiskAsync(CancellationToken.None);
        if (!resumed.HashesProven)
        {
            resumed.Hashes.WriteEncoded(0, content.Encoded);
            resumed.VerifyHashes().ShouldBeTrue();
            await resumed.RevalidateFromDiskAsync(CancellationToken.None);
        }

        resumed.BytesProven.ShouldBeGreaterThan(4 * 1024 * 1024);
        resumed.TryNextMissing(0, 1, out var first, out _).ShouldBeTrue();
        PutAll(resumed, content, first);
        resumed.ProveWhole().ShouldBeTrue();
        store.MakeDurable(resumed).ShouldBe(PublishOutcome.Published);
    }

    [Fact]
    public void An_upload_into_a_full_disk_claims_nothing()
    {
        using var disk = SmallDisk.TryMount("8m", output);
        if (disk is null)
        {
            return;
        }

        using var store = TestStore.Open(disk.Path);
        var content = new SampleContent(12 * 1024 * 1024);
        using var partial = store.OpenPartial(content.Key, 1, content.Fingerprint, content.Data.Length);
        Should.Throw<DiskFullException>(() => PutAll(partial, content, from: 0));
        partial.BytesProven.ShouldBe(0);
        partial.ProveWhole().ShouldBeFalse();
        partial.Discard();

        using (var incoming = store.CreateIncoming())
        {
            Should.Throw<DiskFullException>(() =>
            {
                incoming.Append(content.Data);
                incoming.Complete();
            });
        }

        var small = new SampleContent(100_000);
        TestStore.Publish(store, small).ShouldBe(PublishOutcome.Published);
    }

    [Fact]
    public async Task A_full_disk_loses_no_small_content_and_takes_more_when_there_is_room()
    {
        using var disk = SmallDisk.TryMount("4m", output);
        if (disk is null)
        {
            return;
        }

        using var store = TestStore.Open(disk.Path);
        var ledger = new FolderLedger(store);
        var stored = new List<SampleContent>();
        SampleContent next;
        while (true)
        {
            next = new SampleContent(50_000, stored.Count);
            try
            {
                await ledger.RecordAsync([], [ProvenBytes.Of(next.Data)]);
            }
            catch (DiskFullException full)
            {
                full.Message.ShouldContain("small.db");
                break;
            }

            stored.Add(next);
        }

        stored.Count.ShouldBeGreaterThan(10);
        stored.ShouldAllBe(content => store.ConfirmDurable(content.Fingerprint, 50_000));
        store.Holds(next.Fingerprint).ShouldBeFalse();

        disk.Enlarge("64m");
        await ledger.RecordAsync([], [ProvenBytes.Of(next.Data)]);
        stored.Append(next).ShouldAllBe(content => store.ConfirmDurable(content.Fingerprint, 50_000));
        ledger.SetAsideBecause.ShouldBeNull();
    }

    private static void PutAll(PartialFile partial, SampleContent content, long from)
    {
        for (var first = from; first < content.ChunkCount; first += 256)
        {
            var offset = (int)first * 1024;
            partial.Put(first, content.Data.AsSpan(offset, Math.Min(256 * 1024, content.Data.Length - offset)));
        }
    }

    private sealed class SmallDisk : IDisposable
    {
        private readonly TempFolder _folder = new();

        public string Path => _folder["disk"];

        public static SmallDisk? TryMount(string size, ITestOutputHelper output)
        {
            var disk = new SmallDisk();
            Directory.CreateDirectory(disk.Path);
            var fault = Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", disk.Path);
            if (fault is null)
            {
                return disk;
            }

            output.WriteLine($"Nothing was tested: a file system of {size} cannot be mounted here: {fault}");
            disk._folder.Dispose();
            return null;
        }

        public void Enlarge(string size) => Run("mount", "-o", $"remount,size={size}", Path).ShouldBeNull();

        public void Dispose()
        {
            Run("umount", Path).ShouldBeNull();
            _folder.Dispose();
        }

        private static string? Run(string program, params string[] arguments)
        {
            try
            {
                using var process = Process.Start(
                    new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false }
                )!;
                var error = process.StandardError.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0 ? null : error.Trim();
            }
            catch (System.ComponentModel.Win32Exception exception)
            {
                return exception.Message;
            }
        }
    }
}
