using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Feed;

/// <summary>How much of the feed is kept. Section <c>FileTransfer:Feed</c>.</summary>
public sealed class FeedOptions
{
    public const string Section = "FileTransfer:Feed";

    /// <summary>
    /// Mutations are kept for so long at least, and until every node that was heard of within it has read them; a cluster that pulls this
    /// one can be away for so long.
    /// </summary>
    /// <remarks>Default 7 days, 1 s – 10 years: who comes back later compares the files that there are, instead of reading what changed.</remarks>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>So many mutations of each of the 16 bins are kept at most, whoever has not read them.</summary>
    /// <remarks>Default 250,000, at least 1: some 200 bytes each in the database.</remarks>
    [Range(1, int.MaxValue)]
    public int MostEntries { get; set; } = 250_000;
}
