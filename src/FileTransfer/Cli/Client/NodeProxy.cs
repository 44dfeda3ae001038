namespace FileTransfer.Cli.Client;

/// <summary>The proxy of the environment (<c>http_proxy</c>, <c>https_proxy</c>, but for what <c>no_proxy</c> lists), never for this machine itself.</summary>
/// <remarks>A proxy's loopback is another machine's: a node at 127.0.0.1 cannot be reached through one.</remarks>
public sealed class NodeProxy(IWebProxy environment) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => environment.Credentials;
        set => environment.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : environment.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || environment.IsBypassed(host);
}
