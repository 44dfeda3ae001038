using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace FileTransfer.Cluster;

public sealed class ThisNode(IOptions<NodeOptions> options, IServer server, CertificateFiles certificates)
{
    public NodeId Id { get; } = new(options.Value.NodeId);

    public string ClusterId => options.Value.ClusterId;

    /// <summary>Among the nodes of all clusters.</summary>
    public PeerName Name { get; } = new(options.Value.ClusterId, new NodeId(options.Value.NodeId));

    public NodeRole Role => options.Value.Role;

    public string? Token => options.Value.NodeToken;

    /// <summary>Connections to addresses that others have told, on which this node shows its certificate.</summary>
    public SocketsHttpHandler Connections(SocketsHttpHandler handler) => certificates.ShownBy(handler.WithoutLocalLinks());

    /// <summary>The same, for addresses of which some more are refused.</summary>
    public SocketsHttpHandler Connections(SocketsHttpHandler handler, Func<IPAddress, string?> faultOf) =>
        certificates.ShownBy(handler.WithoutAddresses(faultOf));

    /// <summary>Nobody but this machine reaches it.</summary>
    public bool ListensOnLoopbackOnly =>
        Bound.All(address =>
            IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) ? IPAddress.IsLoopback(ip) : address.Host == "localhost"
        );

    /// <summary>The address other nodes reach this one at; known once the server listens.</summary>
    public Uri Url => options.Value.AdvertisedUrl ?? FirstBound();

    private IEnumerable<BindingAddress> Bound =>
        (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).Select(BindingAddress.Parse);

    private Uri FirstBound()
    {
        var address =
            Bound.FirstOrDefault()
            ?? throw new InvalidOperationException("The server does not listen yet, so its address is not known.");
        // A wildcard tells other nodes nothing; the machine's name is the best that can be known here.
        var host = address.Host is "+" or "*" or "0.0.0.0" or "[::]" ? Environment.MachineName : address.Host;
        return new Uri($"{address.Scheme}://{host}:{address.Port}");
    }
}
