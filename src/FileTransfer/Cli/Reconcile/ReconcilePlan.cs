using FileTransfer.Cli.Client;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>Compares folders, each of another node of one cluster, with the catalog, file by file, in bounded memory.</summary>
internal sealed class ReconcilePlan : IDisposable
{
    private readonly List<KnownFolder> _folders = [];
    private NdjsonAnswer<CatalogLine>? _catalog;
    private CatalogLine _about = new([], [], null);

    public IReadOnlyList<KnownFolder> Folders => _folders;

    /// <param name="nodes">The nodes that run.</param>
    /// <param name="dataDirectories">The folders of those that do not.</param>
    /// <param name="proves">Whether contents are hashed that the catalog does not call stored.</param>
    public static async Task<ReconcilePlan> OpenAsync(NodeSet nodes, IReadOnlyList<string> dataDirectories, bool proves)
    {
        var plan = new ReconcilePlan();
        try
        {
            foreach (var node in nodes.Each())
            {
                plan._folders.Add(await RunningFolder.OpenAsync(node, proves));
            }

            plan._folders.AddRange(dataDirectories.Select(directory => StoppedFolder.Open(directory, proves)));
            plan.Check();
            plan._catalog = await nodes.RunAsync(node => node.OpenLinesAsync<CatalogLine>($"{Routes.Reconcile}/catalog"));
            plan._about = await plan._catalog.ReadAsync() ?? plan._about;
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    /// <summary>The nodes that anybody knows of and whose folder is neither here nor written off.</summary>
    public IReadOnlyList<string> MembersNotIn(IReadOnlyCollection<string> writtenOff) =>
        [
            .. _folders
                .SelectMany(folder => folder.Members)
                .Concat(_about.Members ?? [])
                .Except(_folders.Select(folder => folder.Node))
                .Except(writtenOff)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>What is to become of each file, in the order of the keys; those in order too.</summary>
    public async IAsyncEnumerable<Verdict> DecideAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var epochs = _folders.SelectMany(folder => folder.Epochs).Concat((_about.Epochs ?? []).Select(epoch => epoch.ToEpoch()));
        var judge = new Judge(new FeedOrder([.. epochs]));
        var all = EvidenceMerge.OfAllAsync([.. _folders.Select(folder => folder.ReadAsync(cancellationToken))], CatalogAsync());
        await foreach (var (key, said, known) in all.WithCancellation(cancellationToken))
        {
            yield return judge.Decide(key, said, known);
        }
    }

    public void Dispose()
    {
        _catalog?.Dispose();
        _folders.ForEach(folder => folder.Dispose());
    }

    private async IAsyncEnumerable<CatalogEvidence> CatalogAsync()
    {
        while (await _catalog!.ReadAsync() is { File: { } file })
        {
            yield return file.ToEvidence();
        }
    }

    private void Check()
    {
        if (_folders.Select(folder => folder.Cluster).Distinct().ToList() is { Count: > 1 } clusters)
        {
            throw new CliException(
                ExitCode.Usage,
                $"The folders belong to different clusters: {string.Join(", ", clusters)}. Name those of one."
            );
        }

        if (_folders.GroupBy(folder => folder.Node).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new CliException(
                ExitCode.Usage,
                $"The folder of node '{twice.Key}' is named twice: {string.Join(" and ", twice.Select(folder => folder.Place))}. Name it once."
            );
        }
    }
}
