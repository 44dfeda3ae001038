using System.Globalization;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>
/// A process that does to a data folder what joins, looks at the catalog and adoptions do, and marks what is written:
/// <c>dotnet FileTransfer.IntegrationTests.dll folder-script FOLDER</c>.
/// </summary>
internal static class FolderScript
{
    public const string Name = "folder-script";
    private const int Writes = 12;
    private const int WritesOfCatalog = 4;

    public static async Task<int> RunAsync(string folder)
    {
        using var store = StoreScript.Open(folder);
        var ledger = new FolderLedger(store);
        var file = new NodeFile(store);
        for (var number = 1; number <= Writes; number++)
        {
            DiskLog.MarkHere($"writing {number}");
            file.Write(Identity(number));
            await ledger.SetEpochsAsync(Epochs(number));
            DiskLog.MarkHere($"written {number}");
        }

        return 0;
    }

    /// <summary>Opens a folder that a power failure left, as a node does, and looks whether it still says whose it is.</summary>
    /// <param name="written">The last write that had ended.</param>
    public static void Judge(string folder, int written)
    {
        using var store = StoreScript.Open(folder);
        var says = new NodeFile(store).Current;
        (says is null ? 0 : (int)says.Flushed).ShouldBeInRange(written, written + 1);
        if (says is not null)
        {
            var expected = Identity((int)says.Flushed);
            says.FeedEpoch.ShouldBe(expected.FeedEpoch);
            says.BinHeads.ShouldBe(expected.BinHeads);
            says.Members.ShouldBe(expected.Members);
            (says.Hold is not null).ShouldBe(IsAdopted((int)says.Flushed), "what was adopted is held");
        }

        var ledger = new FolderLedger(store);
        ledger.SetAsideBecause.ShouldBeNull();
        var epochs = ledger.Epochs().Select(epoch => epoch.Epoch).ToList();
        epochs.ShouldBe(EpochsOf(epochs.Count));
        epochs.Count.ShouldBeInRange(written == 0 ? 0 : EpochCount(written), EpochCount(written + 1));
    }

    public static int WrittenAt(DiskHistory history, int cut) =>
        history
            .Marks.Where(mark => mark.At < cut && mark.Text.StartsWith("written", StringComparison.Ordinal))
            .Select(mark => int.Parse(mark.Text.Split(' ')[1], CultureInfo.InvariantCulture))
            .LastOrDefault();

    /// <summary>Another catalog is adopted now and then; one that has more nodes, so that the file's length goes up and down.</summary>
    private static FolderIdentity Identity(int number) =>
        new(
            FolderIdentity.CurrentVersion,
            "a",
            "default",
            EpochOf(number),
            "7001",
            Timeline: 1,
            "filetransfer",
            Flushed: (ulong)number,
            [.. Enumerable.Repeat((long)number, 16)],
            DateTimeOffset.UnixEpoch,
            [.. Enumerable.Range(0, number % WritesOfCatalog * 100).Select(node => $"node {node}")],
            IsAdopted(number)
                ? new CollectionHold(DateTimeOffset.UnixEpoch, "the catalog was adopted", EndsByItself: false)
                : null
        );

    private static bool IsAdopted(int number) => number >= WritesOfCatalog;

    private static Guid EpochOf(int number) => new(number / WritesOfCatalog, 0, 0, new byte[8]);

    private static int EpochCount(int number) => (number / WritesOfCatalog) + 1;

    private static IEnumerable<Guid> EpochsOf(int count) =>
        Enumerable.Range(0, count).Select(epoch => EpochOf(epoch * WritesOfCatalog));

    private static LedgerEpoch[] Epochs(int number) =>
        [
            .. EpochsOf(EpochCount(number))
                .Select((epoch, at) => new LedgerEpoch(epoch, DateTimeOffset.UnixEpoch.AddHours(at), new long[16])),
        ];
}
