namespace FileTransfer.Cluster.Peers;

/// <summary>Which catalog a node works on, as nodes tell each other with requests and answers.</summary>
/// <param name="Timeline">The server's timeline: the higher of two was promoted later.</param>
/// <param name="Epoch">How many leaders took office there.</param>
/// <param name="Former">In an answer: the history of who asked, where the answering catalog has gone on from it to one of its own.</param>
public sealed record CatalogSight(
    string Cluster,
    string System,
    long Timeline,
    long Epoch,
    NodeId Node,
    Guid FeedEpoch,
    Guid? Former = null
)
{
    /// <summary>Carries them, with a space between them.</summary>
    public const string Header = "FileTransfer-Catalog";

    public string Text { get; } =
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Cluster} {System} {Timeline} {Epoch} {Node} {FeedEpoch}{(Former is { } former ? $" {former}" : "")}"
        );

    public static CatalogSight Of(CatalogIdentity catalog, ThisNode node) =>
        new(
            node.ClusterId,
            catalog.SystemIdentifier,
            catalog.Timeline,
            catalog.LeaderEpoch ?? 0,
            node.Id,
            catalog.FeedEpoch ?? Guid.Empty
        );

    public static CatalogSight? Parse(string? text) =>
        text?.Split(' ') is [var cluster, var system, var timeline, var epoch, var node, var feed, .. { Length: <= 1 } more]
        && long.TryParse(timeline, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedTimeline)
        && long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedEpoch)
        && NodeId.FromText(node) is { } id
        && Guid.TryParse(feed, out var parsedFeed)
            ? new CatalogSight(
                cluster,
                system,
                parsedTimeline,
                parsedEpoch,
                id,
                parsedFeed,
                more is [var former] && Guid.TryParse(former, out var parsedFormer) ? parsedFormer : null
            )
            : null;

    /// <summary>What to answer to who told <paramref name="asker"/>.</summary>
    /// <param name="histories">
    /// That the catalog has been in, the present one last. Read at another moment than this sight: where they do not agree, nothing is said.
    /// </param>
    public CatalogSight AnswerTo(CatalogSight? asker, IReadOnlyList<Guid> histories) =>
        asker is { } other
        && other.FeedEpoch != FeedEpoch
        && histories is [.., var present]
        && present == FeedEpoch
        && histories.Contains(other.FeedEpoch)
            ? new CatalogSight(Cluster, System, Timeline, Epoch, Node, FeedEpoch, other.FeedEpoch)
            : this;

    /// <summary>Whether who leads on <paramref name="older"/> must stop: this is a later state of the same catalog.</summary>
    /// <remarks>
    /// A history that was begun after another is later, on whatever server: a person has had it adopted, or a standby was promoted. Two that
    /// were begun after one and the same are not in an order, unless one server's timelines say it: a person decides.
    /// </remarks>
    public bool Supersedes(CatalogSight older) =>
        Cluster == older.Cluster
        && (
            Former == older.FeedEpoch
            || (
                System == older.System
                && (
                    Timeline > older.Timeline
                    || (Timeline == older.Timeline && FeedEpoch == older.FeedEpoch && Epoch > older.Epoch)
                )
            )
        );
}
