using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Feed.Reconciliation;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Cli.Reconcile;

/// <summary>The folder of a node that does not run. It is only read, and kept from being used meanwhile.</summary>
internal sealed class StoppedFolder : KnownFolder
{
    private readonly StorePaths _paths;
    private readonly FolderIdentity _identity;
    private readonly FileLock _lock;
    private readonly StoppedLedger _ledger;
    private readonly bool _proves;

    private StoppedFolder(StorePaths paths, FolderIdentity identity, bool proves)
    {
        _paths = paths;
        _identity = identity;
        _proves = proves;
        _lock = DataDirectoryLock.Take(paths);
        try
        {
            _ledger = StoppedLedger.Open(paths.Root);
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    public override string Node => _identity.Node;

    public override string Place => _paths.Root;

    public override string Cluster => _identity.Cluster;

    public override IReadOnlyList<string> Members => _identity.Members;

    public override IReadOnlyList<LedgerEpoch> Epochs => _ledger.Epochs();

    public override IReadOnlyList<FolderPolicyResource> Policies => [.. _ledger.Policies().Select(FolderPolicyResource.Of)];

    public override string? Fault => _ledger.Damage;

    /// <exception cref="CliException">There is no such folder, or it does not say whose it is.</exception>
    /// <exception cref="DataDirectoryInUseException">A node runs on it.</exception>
    public static StoppedFolder Open(string dataDirectory, bool proves)
    {
        if (!Directory.Exists(dataDirectory))
        {
            throw new CliException(ExitCode.NotFound, $"There is no folder {dataDirectory}.");
        }

        return NodeFile.ReadOf(dataDirectory) is { } identity
            ? new StoppedFolder(new StorePaths(dataDirectory), identity, proves)
            : throw new CliException(
                ExitCode.NotFound,
                $"{dataDirectory} has no node.json, so it is not said whose data folder it is. Start its node once with serve --adopt-catalog, and name it by --url."
            );
    }

    public override async IAsyncEnumerable<FolderEvidence> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var evidence in EvidenceMerge.OfFolder(Node, _ledger.Files(), _ledger.Removals(), ContentOf))
        {
            yield return _proves && evidence is { Content: HeldContent.Here, File: { } file }
                ? evidence with
                {
                    Content = await ProveAsync(file, cancellationToken),
                }
                : evidence;
        }
    }

    public override void Dispose()
    {
        _ledger.Dispose();
        _lock.Dispose();
    }

    private HeldContent ContentOf(LedgerFile file)
    {
        long? size = new FileInfo(_paths.Content(file.Fingerprint)) is { Exists: true } content
            ? content.Length
            : _ledger.ReadSmall(file.Fingerprint)?.Length;
        return size is null ? HeldContent.Absent
            : size == file.Size ? HeldContent.Here
            : HeldContent.Damaged;
    }

    private async Task<HeldContent> ProveAsync(LedgerFile file, CancellationToken cancellationToken)
    {
        try
        {
            var path = _paths.Content(file.Fingerprint);
            var found = File.Exists(path)
                ? await ContentFingerprint.OfFileAsync(path, cancellationToken)
                : ContentFingerprint.Of(_ledger.ReadSmall(file.Fingerprint));
            return found == file.Fingerprint ? HeldContent.Proven : HeldContent.Damaged;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return HeldContent.Damaged;
        }
    }
}
