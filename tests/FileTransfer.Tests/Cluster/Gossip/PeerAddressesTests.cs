using FileTransfer.Cluster.Gossip;
using Microsoft.Extensions.Options;

namespace FileTransfer.Tests.Cluster.Gossip;

/// <summary>What nodes of other clusters may not announce.</summary>
public sealed class PeerAddressesTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7070")]
    [InlineData("http://localhost:7070")]
    [InlineData("http://[::1]:7070")]
    [InlineData("http://[::ffff:127.0.0.1]:7070")]
    [InlineData("http://169.254.1.2")]
    [InlineData("http://[fe80::1]")]
    [InlineData("http://0.0.0.0:7070")]
    [InlineData("http://[::]:7070")]
    [InlineData("http://224.0.0.1")]
    [InlineData("http://[ff02::1]")]
    public void Addresses_that_no_other_node_answers_at_are_refused(string url) => FaultOf(url, false).ShouldNotBeNull();

    [Theory]
    [InlineData("http://192.0.2.7:7070")]
    [InlineData("https://node-x.example")]
    [InlineData("http://[2001:db8::7]:7070")]
    public void Others_are_not(string url) => FaultOf(url, false).ShouldBeNull();

    [Fact]
    public void Where_nodes_of_one_machine_gossip_its_own_addresses_are_allowed_and_those_of_links_are_not()
    {
        FaultOf("http://127.0.0.1:7070", true).ShouldBeNull();
        FaultOf("http://localhost:7070", true).ShouldBeNull();
        FaultOf("http://169.254.1.2", true).ShouldNotBeNull();
    }

    private static string? FaultOf(string url, bool allowsLoopback) =>
        new PeerAddresses(Options.Create(new GossipOptions { AllowLoopback = allowsLoopback }), null!).FaultOf(new Uri(url));
}
