namespace FileTransfer.Cluster.Gossip;

/// <summary>Which addresses nodes of other clusters may announce, and this node then connects to.</summary>
/// <remarks>A name is judged by the address that it leads to, when it is connected to.</remarks>
public sealed class PeerAddresses(IOptions<GossipOptions> options, ThisNode node)
{
    private bool AllowsLoopback => options.Value.AllowLoopback ?? node.ListensOnLoopbackOnly;

    /// <summary>Why an address is refused, as a clause; null where it is not.</summary>
    public string? FaultOf(Uri url)
    {
        var host = url.IdnHost.Trim('[', ']');
        return IPAddress.TryParse(host, out var address) ? FaultOf(address)
            : !AllowsLoopback && url.IsLoopback ? "it is this machine's own"
            : null;
    }

    /// <summary>Why an address is refused, as a clause; null where it is not.</summary>
    public string? FaultOf(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return ClientHandler.IsLocalLink(plain) ? "it is of one link alone, or of the machine's provider"
            : plain.Equals(IPAddress.Any) || plain.Equals(IPAddress.IPv6Any) ? "it is nobody's"
            : IsMulticast(plain) ? "it is of many"
            : !AllowsLoopback && IPAddress.IsLoopback(plain) ? "it is this machine's own"
            : null;
    }

    /// <summary>Connections to announced addresses, on which this node shows its certificate.</summary>
    public SocketsHttpHandler Connections(SocketsHttpHandler handler) => node.Connections(handler, FaultOf);

    private static bool IsMulticast(IPAddress address) =>
        address.IsIPv6Multicast || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] >= 224);
}
