namespace FileTransfer.Cluster.Gossip;

/// <summary>The addresses that <see cref="GossipOptions.Seeds"/> lead to now.</summary>
public sealed partial class GossipSeeds(IOptions<GossipOptions> options, ILogger<GossipSeeds> logger)
{
    /// <summary>A name that leads to several addresses is a seed for each; https goes by the name that certificates have.</summary>
    public async Task<IReadOnlyList<Uri>> FindAsync(CancellationToken cancellationToken)
    {
        var found = new List<Uri>();
        foreach (var seed in options.Value.Seeds)
        {
            if (seed.Scheme == Uri.UriSchemeHttps || seed.HostNameType != UriHostNameType.Dns)
            {
                found.Add(seed);
                continue;
            }

            try
            {
                var addresses = await Dns.GetHostAddressesAsync(seed.DnsSafeHost, cancellationToken);
                found.AddRange(addresses.Select(address => new UriBuilder(seed) { Host = address.ToString() }.Uri));
            }
            catch (SocketException e)
            {
                Log.Unknown(logger, seed, e.Message);
            }
        }

        return found;
    }

    private static partial class Log
    {
        [LoggerMessage(2164, LogLevel.Warning, "The seed {Seed} leads to no address now: {Reason}")]
        public static partial void Unknown(ILogger logger, Uri seed, string reason);
    }
}
