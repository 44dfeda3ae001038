using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting.Requests;

/// <summary>What is no request is answered by the server itself, and with a problem all the same.</summary>
public sealed class RejectedRequestTests
{
    public static TheoryData<string, int, string> Rejections =>
        new()
        {
            { "GARBAGE\r\n\r\n", 400, "bad-request" },
            { "GET / HTTP/1.1\r\nHost: x\r\nNo colon here\r\n\r\n", 400, "bad-request" },
            { "GET / HTTP/1.1\r\n\r\n", 400, "bad-request" },
            { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad-request" },
            { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400, "bad-request" },
            { $"GET /{new string('a', 70_000)} HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri-too-long" },
            { $"GET / HTTP/1.1\r\nHost: x\r\nLong: {new string('a', 40_000)}\r\n\r\n", 431, "headers-too-large" },
            { "GET / HTTP/9.1\r\nHost: x\r\n\r\n", 505, "version-unsupported" },
        };

    [Theory]
    [MemberData(nameof(Rejections))]
    public async Task What_is_no_request_is_answered_with_a_problem(string request, int status, string slug)
    {
        await using var server = await RunningServer.StartAsync();

        Check(await AskAsync(server.Address, request), status, slug);
    }

    [Fact]
    public async Task The_answer_before_the_rejection_stays_as_it_is()
    {
        await using var server = await RunningServer.StartAsync();

        var answers = await AskAsync(server.Address, "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGARBAGE\r\n\r\n");

        answers.ShouldStartWith("HTTP/1.1 200 OK\r\n");
        answers.ShouldContain("{\"status\":\"healthy\"}");
        Check(answers[answers.IndexOf("HTTP/1.1 400", StringComparison.Ordinal)..], 400, "bad-request");
    }

    private static void Check(string answer, int status, string slug)
    {
        answer.ShouldStartWith($"HTTP/1.1 {status} ");
        var (head, body) = answer.Split("\r\n\r\n", 2) is [var first, var second] ? (first, second) : ("", "");
        head.ShouldContain("Content-Type: application/problem+json");
        head.ShouldContain("Connection: close");
        head.ShouldContain($"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n");
        using var problem = JsonDocument.Parse(body);
        problem.RootElement.GetProperty("type").GetString().ShouldBe($"urn:filetransfer:problem:{slug}");
        problem.RootElement.GetProperty("status").GetInt32().ShouldBe(status);
        problem.RootElement.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
    }

    private static async Task<string> AskAsync(Uri address, string request)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var answer = new StringBuilder();
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token)) > 0; )
            {
                answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset && answer.Length > 0)
        {
            // The server read no further than the fault.
        }

        return answer.ToString();
    }
}
