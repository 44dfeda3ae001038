namespace FileTransfer.Feed;

/// <summary>What a range of keys has: equal where the files are, and the clusters that appended their Adds first.</summary>
/// <param name="Prefix">What its keys begin with.</param>
public sealed record RangeDigest(string Prefix, long Files, Hash256 Digest)
{
    /// <summary>SQL: the ranges of keys with <c>@digits</c> digits in common that have any.</summary>
    /// <remarks>
    /// SHA-256 over the keys in their order, each with its cluster and a line feed, which no cluster's id has. It is made by the server where
    /// somebody asks: both sides have the files in this order, so nothing has to be kept of it, nor to grow file by file.
    /// </remarks>
    /// <param name="files">SQL with the columns file_key and origin_cluster.</param>
    internal static string SqlOf(string files) =>
        $"""
            SELECT left(encode(k.file_key, 'hex'), @digits) COLLATE "C" AS prefix, count(*) AS files,
                sha256(string_agg(k.file_key || convert_to(k.origin_cluster || E'\n', 'UTF8'), ''::bytea ORDER BY k.file_key)) AS digest
            FROM ({files}) k GROUP BY 1 ORDER BY 1
            """;

    /// <summary>As <see cref="SqlOf"/> gives it.</summary>
    internal sealed record Row(string Prefix, long Files, byte[] Digest)
    {
        public RangeDigest ToDigest() => new(Prefix, Files, new Hash256(Digest));
    }
}
