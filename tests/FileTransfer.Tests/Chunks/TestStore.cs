using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Tests.Chunks;

/// <summary>A store in a folder of its own, which can be closed and opened again as after a restart.</summary>
internal sealed class TestStore : IDisposable
{
    private readonly TempFolder _folder = new();

    public TestStore()
    {
        Store = Open(Root);
    }

    public string Root => _folder["data"];

    public ChunkStore Store { get; private set; }

    public static ChunkStore Open(string root) => new(root, new FreeSpaceFloor(0), NullLogger<ChunkStore>.Instance);

    public void Restart()
    {
        Store.Dispose();
        Store = Open(Root);
    }

    /// <summary>Restarts, and does something to the folder in between.</summary>
    public void Restart(Action<string> toFolder)
    {
        Store.Dispose();
        toFolder(Root);
        Store = Open(Root);
    }

    /// <summary>What a kill at this instant would leave on disk, as a folder of its own.</summary>
    public string CopyAs(string name)
    {
        var copy = _folder[name];
        using var copying = System.Diagnostics.Process.Start("cp", ["-a", Root, copy]);
        copying.WaitForExit();
        copying.ExitCode.ShouldBe(0);
        return copy;
    }

    public PartialFile OpenPartial(SampleContent content, long epoch = 1) =>
        Store.OpenPartial(content.Key, epoch, content.Fingerprint, content.Data.Length);

    public PartialFile OpenProven(SampleContent content, long epoch = 1)
    {
        var partial = OpenPartial(content, epoch);
        partial.Hashes.WriteEncoded(0, content.Encoded);
        partial.VerifyHashes().ShouldBeTrue();
        return partial;
    }

    public void Publish(SampleContent content) => Publish(Store, content);

    /// <summary>Remembers the file of a content, and stores the content with it where it is a small one.</summary>
    public Task RecordAsync(params SampleContent[] contents) =>
        new FolderLedger(Store).RecordAsync(
            [.. contents.Select(FileOf)],
            [
                .. contents
                    .Where(content => ChunkStore.IsSmall(content.Data.Length))
                    .Select(content => ProvenBytes.Of(content.Data)),
            ]
        );

    public static PublishOutcome Publish(ChunkStore store, SampleContent content, long epoch = 1)
    {
        using var partial = store.OpenPartial(content.Key, epoch, content.Fingerprint, content.Data.Length);
        partial.Put(0, content.Data).ShouldBe(PutOutcome.Stored);
        partial.ProveWhole().ShouldBeTrue();
        return store.MakeDurable(partial);
    }

    private static LedgerFile FileOf(SampleContent content) =>
        new(
            content.Key,
            new FileMetadata(default, default, default, (ulong)content.Data.Length, content.Fingerprint),
            Generation: 1,
            IsPinned: false,
            Added: null,
            DateTimeOffset.UnixEpoch
        );

    public string ContentPath(Fingerprint fingerprint)
    {
        var hex = fingerprint.ToHex();
        return Path.Combine(Root, "content", hex[..2], hex[2..4], hex);
    }

    public string PartialPath(SampleContent content, long epoch = 1) =>
        Path.Combine(Root, "partial", $"{content.Key.ToHex()}.{epoch}");

    public static byte[] ReadAll(OpenContent content)
    {
        var bytes = new byte[content.Size];
        content.ReadExactly(0, bytes);
        return bytes;
    }

    public void Dispose()
    {
        Store.Dispose();
        _folder.Dispose();
    }
}
