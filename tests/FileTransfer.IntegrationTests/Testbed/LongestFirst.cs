using FileTransfer.IntegrationTests.Testbed;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace FileTransfer.IntegrationTests.Testbed;

/// <summary>Classes run side by side, and the facts of one class after each other: those that take longest begin, so that none is left alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    /// <summary>A minute and more, most of it spent waiting.</summary>
    private static readonly string[] _long =
    [
        "dashboard",
        "shared nodes",
        "AlertTests",
        "PullTests",
        "ReconcileTests",
        "EmbeddedPostgresTests",
        "FollowerTests",
        "DatabaseRecipeTests",
        "CatalogGateTests",
        "UpstreamHistoryTests",
        "NothingLostTests",
        "FailoverTests",
        "TracesTests",
        "DeployTests",
        "CompactedFeedTests",
        "DatabaseAwayTests",
        "IngestTests",
        "LimitTests",
        "AdmissionTests",
        "NodePowerFailureTests",
        "ScrubTests",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(
        IReadOnlyCollection<TTestCollection> testCollections
    )
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(Rank).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];

    private static int Rank<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection
    {
        var rank = Array.FindIndex(_long, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal));
        return rank < 0 ? _long.Length : rank;
    }
}
