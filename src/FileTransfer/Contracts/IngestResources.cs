namespace FileTransfer.Contracts;

/// <summary>What watched folders gave, by the names that the configuration has for them.</summary>
/// <param name="Node">Who answers. What keeps a folder from being taken only the node knows that watches it.</param>
public sealed record IngestResource(string Node, IReadOnlyList<IngestFolderResource> Folders);

/// <param name="Folder">The folder, where the node that answers watches it.</param>
/// <param name="Pattern">Which names are taken.</param>
/// <param name="Fault">What keeps it from being taken; null while nothing does.</param>
/// <param name="ListedAt">When the node that answers has listed it to its end.</param>
/// <param name="Ingested">Names that were ingested, empty files among them.</param>
/// <param name="Refused">Names that are not taken as they are, each with its reason.</param>
/// <param name="Series">The numbered series of its names, in runs.</param>
/// <param name="Files">A page of its names, in their order.</param>
/// <param name="Next">The value of <c>after</c> for the next page; null on the last one.</param>
public sealed record IngestFolderResource(
    string Name,
    string? Folder,
    string? Pattern,
    string? Fault,
    DateTimeOffset? ListedAt,
    long Ingested,
    long Refused,
    IReadOnlyList<IngestRunResource> Series,
    IReadOnlyList<IngestedFileResource> Files,
    string? Next
);

/// <summary>Numbers of a series that follow each other.</summary>
/// <param name="Series">The name, with <c>#</c> where the number is.</param>
/// <param name="From">The first number; of PostgreSQL's segments the 16 hex digits behind the timeline.</param>
/// <param name="To">The last one.</param>
/// <param name="State"><c>FOUND</c>; or <c>MISSING_DELAYED</c> and, a minute after a later number came, <c>MISSING_LOST</c>.</param>
public sealed record IngestRunResource(string Series, string From, string To, long Count, string State)
{
    public const string Found = "FOUND";
    public const string Delayed = "MISSING_DELAYED";
    public const string Lost = "MISSING_LOST";
}

/// <param name="Node">The node that watches it.</param>
/// <param name="Size">Of what was ingested, 0 where it is empty; null where it never was.</param>
/// <param name="Key">The file that it became; null where it is none.</param>
/// <param name="IngestedAt">Null while it is not.</param>
/// <param name="DeletedAt">When it was deleted from the folder, since all have it.</param>
/// <param name="Reason">Why it is not taken, or did not become a file.</param>
/// <param name="AcknowledgedBy">The nodes and the followers that have it.</param>
public sealed record IngestedFileResource(
    string Name,
    string Node,
    long? Size,
    string? Key,
    DateTimeOffset? IngestedAt,
    DateTimeOffset? DeletedAt,
    string? Reason,
    IReadOnlyList<string> AcknowledgedBy
);
