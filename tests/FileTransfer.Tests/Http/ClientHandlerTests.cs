using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FileTransfer.Http;
using FileTransfer.Tests.Cli;

namespace FileTransfer.Tests.Http;

public sealed class ClientHandlerTests
{
    [Theory]
    [InlineData("169.254.0.1", true)]
    [InlineData("169.254.169.254", true)]
    [InlineData("::ffff:169.254.169.254", true)]
    [InlineData("fe80::1", true)]
    [InlineData("fd00:ec2::254", true)]
    [InlineData("100.100.100.200", true)]
    [InlineData("169.253.255.255", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("fd00::1", false)]
    public void What_answers_on_one_link_alone_or_is_the_providers_is_told_from_what_may_be_a_node(
        string address,
        bool isLocal
    ) => ClientHandler.IsLocalLink(IPAddress.Parse(address)).ShouldBe(isLocal);

    [Theory]
    [InlineData("http://u:s3cr3t@elsewhere:81/x?sig=s3cr3t", "answered 307 to http://elsewhere:81, and nothing was sent there")]
    [InlineData("/x?sig=s3cr3t", "answered 307 to http://node, and nothing was sent there")]
    [InlineData("//[x", "answered 307")]
    [InlineData(null, "answered 307")]
    public void A_redirect_is_told_by_its_server_alone(string? location, string words)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TemporaryRedirect)
        {
            RequestMessage = new HttpRequestMessage(HttpMethod.Get, "http://node/v1/leader"),
        };
        response.Headers.TryAddWithoutValidation("Location", location);

        ClientHandler.StatusOf(response).ShouldStartWith(words);
        ClientHandler.StatusOf(response).ShouldNotContain("s3cr3t");
    }

    [Fact]
    public async Task A_stranger_is_told_neither_of_a_trace_nor_of_what_a_caller_has_put_beside_it()
    {
        await using var node = await FakeNode.StartAsync();
        var told = new List<string>();
        node.Before = context =>
        {
            told.AddRange(context.Request.Headers.Keys);
            return Task.FromResult(false);
        };
        using var activity = new Activity("of a caller").AddBaggage("customer", "somebody").Start();
        using var http = new HttpClient(ClientHandler.Create().WithoutTraces());

        using var answer = await http.GetAsync(new Uri(node.Url, "/health/live"), TestContext.Current.CancellationToken);

        told.ShouldBe(["Host"]);
    }

    [Fact]
    public async Task Nothing_is_sent_to_an_address_that_is_refused_whatever_name_leads_there()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = new Uri($"http://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        using var http = new HttpClient(
            ClientHandler.Create().WithoutAddresses(address => IPAddress.IsLoopback(address) ? "it is this machine" : null)
        );
        var refused = await Should.ThrowAsync<HttpRequestException>(() =>
            http.GetAsync(url, TestContext.Current.CancellationToken)
        );
        refused.Message.ShouldStartWith("localhost is the address of no node: it is this machine");
        using var connection = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        (await connection.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken)).ShouldBe(0);
    }
}
