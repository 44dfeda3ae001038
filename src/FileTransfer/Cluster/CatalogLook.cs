namespace FileTransfer.Cluster;

/// <summary>What a joined node sees of its catalog.</summary>
/// <param name="Marks">At the sequences that the folder knows (<see cref="CatalogIdentity.Marks"/>).</param>
/// <param name="Members">The names of all nodes.</param>
public sealed record CatalogLook(CatalogIdentity Found, IReadOnlyList<string?> Marks, IReadOnlyList<string> Members)
{
    /// <summary>What <see cref="Read"/> reads; <c>@heads</c> are the sequences that the folder knows.</summary>
    internal const string Columns = $"""
        {CatalogIdentity.Columns}, ({CatalogIdentity.Marks}), (SELECT array_agg(node_id ORDER BY node_id) FROM filetransfer.nodes)
        """;

    /// <summary>Reads <see cref="Columns"/>, the first of the row.</summary>
    internal static CatalogLook Read(NpgsqlDataReader reader)
    {
        var found = CatalogIdentity.Read(reader);
        return new CatalogLook(
            found,
            reader[CatalogIdentity.ColumnCount] as string?[] ?? [],
            reader[CatalogIdentity.ColumnCount + 1] as string[] ?? []
        );
    }

    internal static async Task<CatalogLook> ReadAsync(
        NpgsqlConnection connection,
        IReadOnlyList<long> heads,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns}", connection)
        {
            Parameters = { new("heads", heads.ToArray()) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return Read(reader);
    }
}
