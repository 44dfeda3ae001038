using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Tests.Feed.Pull;

public sealed class UpstreamNameTests
{
    [Theory]
    [InlineData("Bins", "'Bins', which is a part of this service's own routes")]
    [InlineData("requests", "write another name")]
    [InlineData("north", null)]
    public void An_upstream_cannot_be_called_as_a_part_of_a_route_is(string name, string? hint)
    {
        var options = new SyncOptions
        {
            Upstreams =
            {
                new UpstreamOptions { Name = name, Url = "http://up:7070" },
            },
        };

        string.Concat(options.Faults()).ShouldMatch(hint is null ? "^$" : hint);
    }
}
