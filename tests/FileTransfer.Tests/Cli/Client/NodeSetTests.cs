using FileTransfer.Cli.Client;

namespace FileTransfer.Tests.Cli.Client;

public sealed class NodeSetTests
{
    [Theory]
    [InlineData("http://other:7070", "http://node:7070", true)]
    [InlineData("https://other", "http://node", true)]
    [InlineData("https://other", "https://node", true)]
    [InlineData("http://127.0.0.1:7072", "http://localhost:7071", true)]
    [InlineData("http://other", "https://node", false)]
    [InlineData("http://127.0.0.1:7070", "http://node", false)]
    [InlineData("http://localhost", "http://10.0.0.1", false)]
    [InlineData("http://[::1]:7070", "http://10.0.0.1", false)]
    [InlineData("http://169.254.169.254", "http://10.0.0.1", false)]
    [InlineData("http://[fe80::1]:7070", "http://127.0.0.1", false)]
    public void A_token_follows_only_to_where_it_is_as_private(string named, string by, bool isSo) =>
        NodeSet.IsAsPrivate(new Uri(named), new Uri(by)).ShouldBe(isSo);
}
