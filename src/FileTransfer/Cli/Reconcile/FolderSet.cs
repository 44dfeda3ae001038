using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Reconcile;

/// <summary>The folders that take part, open; each of another node of one cluster.</summary>
public sealed class FolderSet : IDisposable
{
    private readonly List<KnownFolder> _all = [];

    public IReadOnlyList<KnownFolder> All => _all;

    /// <param name="nodes">The nodes that run.</param>
    /// <param name="dataDirectories">The folders of those that do not.</param>
    /// <param name="proves">Whether contents are hashed that the catalog does not call stored.</param>
    public static async Task<FolderSet> OpenAsync(
        NodeSet nodes,
        IReadOnlyList<string> dataDirectories,
        bool proves,
        CancellationToken cancellationToken
    )
    {
        var folders = new FolderSet();
        try
        {
            foreach (var node in nodes.Each())
            {
                folders._all.Add(await RunningFolder.OpenAsync(node, proves, cancellationToken));
            }

            foreach (var directory in dataDirectories)
            {
                folders._all.Add(StoppedFolder.Open(directory, proves));
            }

            folders.Check();
            return folders;
        }
        catch
        {
            folders.Dispose();
            throw;
        }
    }

    public void Dispose() => _all.ForEach(folder => folder.Dispose());

    private void Check()
    {
        if (_all.Select(folder => folder.Cluster).Distinct().ToList() is { Count: > 1 } clusters)
        {
            throw new CliException(
                ExitCode.Usage,
                $"The folders belong to different clusters: {string.Join(", ", clusters)}. Name those of one."
            );
        }

        if (_all.GroupBy(folder => folder.Node).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new CliException(
                ExitCode.Usage,
                $"The folder of node '{twice.Key}' is named twice: {string.Join(" and ", twice.Select(folder => folder.Place))}. Name it once."
            );
        }
    }
}
