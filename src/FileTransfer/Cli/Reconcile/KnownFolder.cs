using FileTransfer.Chunks.Ledger;
using FileTransfer.Feed.Reconciliation;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Reconcile;

/// <summary>A data folder that takes part: of a node that runs, or of one that does not.</summary>
internal abstract class KnownFolder : IDisposable
{
    /// <summary>The node whose folder it is.</summary>
    public abstract string Node { get; }

    /// <summary>Where it is, for a person: an address or a path.</summary>
    public abstract string Place { get; }

    public abstract string Cluster { get; }

    /// <summary>The nodes of the cluster that it knows of.</summary>
    public abstract IReadOnlyList<string> Members { get; }

    public abstract IReadOnlyList<LedgerEpoch> Epochs { get; }

    /// <summary>The policies that it remembers.</summary>
    public abstract IReadOnlyList<FolderPolicyResource> Policies { get; }

    /// <summary>What is not as it should be with the folder itself; null where nothing is.</summary>
    public virtual string? Fault => null;

    /// <summary>What it says of each file, in the order of the keys. Can be read once.</summary>
    public abstract IAsyncEnumerable<FolderEvidence> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Reads the policy of a bucket as a folder remembers it.</summary>
    public static Policy Parse(FolderPolicyResource policy) =>
        Policy.TryParse(policy.Kind, [.. policy.Filters], out var parsed, out var fault)
            ? parsed
            : throw new CliException(ExitCode.Failed, $"A folder remembers a policy of {policy.Bucket} that is none: {fault}");

    public abstract void Dispose();
}
