using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Tests.Feed.Upstreams;

public sealed class ShipperTokenTests
{
    [Theory]
    [InlineData("http://up-a:7070/v1/nodes", "secret")]
    [InlineData("http://up-b:80/v1/files", "secret")]
    [InlineData("https://up-a:7070/v1/nodes", null)]
    [InlineData("http://elsewhere:7070/v1/nodes", null)]
    public void A_token_is_shown_where_it_was_configured_for_wherever_the_cluster_says_that_it_is(string asked, string? token)
    {
        var cluster = new UpstreamOptions
        {
            Name = "up",
            Url = "http://elsewhere:7070",
            Shipper = new OtherClusterOptions { Token = "secret", Url = "http://up-a:7070 http://up-b:7070" },
        };

        cluster.TokenFor(new Uri(asked)).ShouldBe(token);
    }

    [Fact]
    public void A_token_for_a_cluster_that_is_not_accepted_is_refused_at_the_start()
    {
        var options = new SyncOptions { AcceptFrom = { "up" } };
        options.Shippers.Add(new OtherClusterOptions { Name = "other", Url = "http://other:7070" });

        options.Faults().ShouldHaveSingleItem().ShouldContain("AcceptFrom");
    }
}
