using System.Globalization;
using FileTransfer.Identity;
using FileTransfer.Postgres;

namespace FileTransfer.Cluster;

/// <summary>Which catalog a node works on, as nodes tell each other with requests and answers.</summary>
/// <param name="Cluster">Its cluster.</param>
/// <param name="System">The system identifier of its database server.</param>
/// <param name="Timeline">The server's timeline: the higher of two was promoted later.</param>
/// <param name="Epoch">How many leaders took office there.</param>
/// <param name="Node">Whose sight it is.</param>
public sealed record CatalogSight(string Cluster, string System, long Timeline, long Epoch, NodeId Node)
{
    /// <summary>Carries the five, with a space between them.</summary>
    public const string Header = "FileTransfer-Catalog";

    /// <summary>The header's value.</summary>
    public string Text { get; } = string.Create(CultureInfo.InvariantCulture, $"{Cluster} {System} {Timeline} {Epoch} {Node}");

    public static CatalogSight Of(CatalogIdentity catalog, ThisNode node) =>
        new(node.ClusterId, catalog.SystemIdentifier, catalog.Timeline, catalog.LeaderEpoch ?? 0, node.Id);

    /// <summary>What a header says; null when it is none.</summary>
    public static CatalogSight? Parse(string? text) =>
        text?.Split(' ') is [var cluster, var system, var timeline, var epoch, var node]
        && long.TryParse(timeline, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedTimeline)
        && long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedEpoch)
        && NodeId.FromText(node) is { } id
            ? new CatalogSight(cluster, system, parsedTimeline, parsedEpoch, id)
            : null;

    /// <summary>Whether who leads on <paramref name="older"/> must stop: this is a later state of the same catalog's server.</summary>
    public bool Supersedes(CatalogSight older) =>
        Cluster == older.Cluster
        && System == older.System
        && (Timeline > older.Timeline || (Timeline == older.Timeline && Epoch > older.Epoch));
}
