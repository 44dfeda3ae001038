namespace FileTransfer.Chunks.Folder;

/// <summary>Whose folder this is, and the catalog that it belongs to as that was last seen: <c>node.json</c>.</summary>
/// <param name="Database">Its name at the server, for a person to find it again.</param>
/// <param name="Flushed">The position of the server's log, as PostgreSQL writes it.</param>
/// <param name="BinHeads">The newest sequence of each bin of the feed.</param>
/// <param name="Members">The nodes of the cluster; while collection is held also those of before.</param>
/// <param name="Hold">Why nothing may be collected here; null = collection goes on.</param>
/// <param name="HeadMarks">What tells the mutations at <paramref name="BinHeads"/> from any other; null = not written down.</param>
/// <param name="SupersededBy">A later state of this catalog that another node works on, and this one does not; null = none is known.</param>
public sealed record FolderIdentity(
    int Version,
    string Node,
    string Cluster,
    Guid FeedEpoch,
    string SystemIdentifier,
    long Timeline,
    string Database,
    ulong Flushed,
    IReadOnlyList<long> BinHeads,
    DateTimeOffset SeenAt,
    IReadOnlyList<string> Members,
    CollectionHold? Hold,
    IReadOnlyList<string?>? HeadMarks = null,
    LaterCatalog? SupersededBy = null
)
{
    public const int CurrentVersion = 1;
}

/// <summary>Collection is held: nothing that no file refers to is deleted until a person has looked.</summary>
/// <param name="EndsByItself">It ends, too, when it turns out that there is nothing that no file refers to.</param>
public sealed record CollectionHold(DateTimeOffset Since, string Because, bool EndsByItself);

/// <summary>A later state of the catalog: the history that its feed was in, and how many leaders had taken office.</summary>
/// <param name="Node">Who works on it.</param>
public sealed record LaterCatalog(Guid FeedEpoch, long LeaderEpoch, string Node, Uri Url)
{
    /// <summary>Whether a catalog with these histories and so many leaders is that state, or one after it.</summary>
    public bool IsReachedBy(IReadOnlyCollection<Guid> histories, long? leaderEpoch) =>
        histories.Contains(FeedEpoch) && leaderEpoch >= LeaderEpoch;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(FolderIdentity))]
internal sealed partial class FolderJson : JsonSerializerContext;
