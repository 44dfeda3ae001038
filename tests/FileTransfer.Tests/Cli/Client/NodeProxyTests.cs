using System.Net;
using FileTransfer.Cli.Client;

namespace FileTransfer.Tests.Cli.Client;

public sealed class NodeProxyTests
{
    private static readonly Uri _proxy = new("http://proxy.example:3128");

    [Theory]
    [InlineData("http://127.0.0.1:7070", false)]
    [InlineData("http://127.8.9.10:7070", false)]
    [InlineData("http://localhost:7070", false)]
    [InlineData("http://[::1]:7070", false)]
    [InlineData("http://node-a.internal:7070", false)]
    [InlineData("http://node-a.example:7070", true)]
    public void The_proxy_of_the_environment_is_followed_but_not_to_this_machine_nor_to_what_it_leaves_out(
        string node,
        bool followed
    )
    {
        var proxy = new NodeProxy(new WebProxy(_proxy) { BypassList = [@"\.internal"] });

        proxy.IsBypassed(new Uri(node)).ShouldBe(!followed);
        proxy.GetProxy(new Uri(node)).ShouldBe(followed ? _proxy : null);
    }
}
