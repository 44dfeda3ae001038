namespace FileTransfer.Catalog;

/// <summary>Bounds a page of files by bytes, too: each location may have 64 KiB, and its answer is in memory for as long as its reader takes it.</summary>
internal static class PageBytes
{
    /// <summary>A page ends with the file in which its locations reach so many bytes.</summary>
    public const int Most = 1024 * 1024;

    /// <summary>SQL: how many bytes the locations before a row of <c>files f</c> have.</summary>
    /// <param name="order">As the page is ordered, so that no more is read than the page has.</param>
    public static string Before(string order) =>
        $"sum(octet_length(f.location)) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - octet_length(f.location) AS bytes_before";

    /// <summary>Whether the database ended the page for its bytes.</summary>
    public static bool AreReached(IEnumerable<FileMetadata> page) => page.Sum(file => file.Location.Length) >= Most;
}
