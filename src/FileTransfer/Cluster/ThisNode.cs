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

    /// <summary>The address other nodes reach this one at; known once the server listens.</summary>
    public Uri Url => options.Value.AdvertisedUrl ?? FirstBound();

    private Uri FirstBound()
    {
        var bound =
            server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The server does not listen yet, so its address is not known.");
        var address = BindingAddress.Parse(bound);
        // A wildcard tells other nodes nothing; the machine's name is the best that can be known here.
        var host = address.Host is "+" or "*" or "0.0.0.0" or "[::]" ? Environment.MachineName : address.Host;
        return new Uri($"{address.Scheme}://{host}:{address.Port}");
    }
}
