namespace FileTransfer.Feed.Upstreams;

/// <summary>Where upstreams are: as they are configured, or as they have said that ship here.</summary>
public sealed class UpstreamAddresses(IOptions<SyncOptions> options, Database database)
{
    public async Task<IReadOnlyList<(string Name, string Url)>> OfAsync(
        IEnumerable<string> names,
        CancellationToken cancellationToken
    )
    {
        var found = new List<(string, string)>();
        foreach (var name in names)
        {
            var configured = options.Value.Upstreams.FirstOrDefault(upstream => upstream.Name == name);
            found.Add(
                (name, configured?.Url ?? string.Join(' ', await UpstreamPositions.UrlsAsync(database, name, cancellationToken)))
            );
        }

        return found;
    }
}
