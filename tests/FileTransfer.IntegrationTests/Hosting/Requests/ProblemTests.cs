using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using FileTransfer.Http;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace FileTransfer.IntegrationTests.Hosting.Requests;

public sealed class ProblemTests(ProblemTests.Failing failing) : IClassFixture<ProblemTests.Failing>
{
    private sealed record Body(int Size);

    /// <summary>A node with routes that fail.</summary>
    public sealed class Failing : SharedServer
    {
        internal override Task<RunningServer> StartAsync() => RunningServer.StartAsync(null, Map);
    }

    private RunningServer Server => failing.Server;

    [Fact]
    public async Task An_unknown_route_is_a_404_that_names_it()
    {
        using var answer = await Server.SendAsync(HttpMethod.Get, "/v1/nothing");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.ReadProblemAsync("route-unknown")).GetProperty("detail").GetString()!.ShouldContain("GET /v1/nothing");
    }

    [Fact]
    public async Task A_wrong_method_is_a_405_that_names_the_right_ones()
    {
        using var answer = await Server.SendAsync(HttpMethod.Post, "/health/live");
        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        answer.Content.Headers.Allow.ShouldBe(["GET", "HEAD"]);
        (await answer.ReadProblemAsync("method-not-allowed")).GetProperty("detail").GetString()!.ShouldContain("GET, HEAD");
    }

    [Theory]
    [InlineData("{\"size\": \"many\"}", "$.size")]
    [InlineData("{\"size\": 1", "line 1")]
    [InlineData("", "Body")]
    public async Task A_body_that_is_not_the_json_of_the_route_is_a_400_that_says_where(string body, string where)
    {
        using var answer = await Server.SendAsync(
            HttpMethod.Put,
            "/body",
            body: new StringContent(body, Encoding.UTF8, "application/json")
        );
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.ReadProblemAsync("bad-request")).GetProperty("detail").GetString()!.ShouldContain(where);
    }

    [Fact]
    public async Task A_parameter_of_the_wrong_type_is_a_400_that_names_parameter_and_value()
    {
        using var answer = await Server.SendAsync(HttpMethod.Get, "/list?limit=many");
        var detail = (await answer.ReadProblemAsync("bad-request")).GetProperty("detail").GetString()!;
        detail.ShouldContain("limit");
        detail.ShouldContain("many");
    }

    [Fact]
    public async Task A_body_of_another_media_type_is_a_415()
    {
        using var answer = await Server.SendAsync(
            HttpMethod.Put,
            "/body",
            body: new StringContent("size=1", Encoding.UTF8, "text/plain")
        );
        await answer.ReadProblemAsync("media-type-unsupported");
    }

    [Theory]
    [InlineData("application/json; charset=zz", "zz")]
    [InlineData("application/json; charset=utf-7", "utf-7")]
    [InlineData("application/json; charset=\"zz\"", "zz")]
    public async Task A_charset_that_is_not_known_is_a_415_that_names_it(string type, string named)
    {
        using var answer = await Server.SendAsync(HttpMethod.Put, "/body", body: Typed("{\"size\": 1}"u8, type));
        answer.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await answer.ReadProblemAsync("media-type-unsupported")).GetProperty("detail").GetString()!.ShouldContain($"'{named}'");
    }

    [Theory]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData("application/json; charset=UTF-8")]
    [InlineData("application/json")]
    public async Task UTF_8_is_taken_however_it_is_written(string type)
    {
        using var answer = await Server.SendAsync(HttpMethod.Put, "/body", body: Typed("{\"size\": 1}"u8, type));
        (await answer.Content.ReadAsStringAsync()).ShouldBe("1");
    }

    [Fact]
    public async Task A_body_above_the_limit_is_a_413_and_none_where_the_route_takes_any_size()
    {
        using var small = await Server.SendAsync(HttpMethod.Put, "/small", body: new ByteArrayContent(new byte[5 << 20]));
        await small.ReadProblemAsync("request-too-large");
        using var any = await Server.SendAsync(HttpMethod.Put, "/any", body: new ByteArrayContent(new byte[5 << 20]));
        (await any.Content.ReadAsStringAsync()).ShouldBe($"{5 << 20}");
    }

    [Fact]
    public async Task A_fault_is_a_500_with_a_trace_id_and_without_its_secrets()
    {
        using var answer = await Server.SendAsync(HttpMethod.Get, "/fails");
        var problem = await answer.ReadProblemAsync("internal-fault");
        problem.GetProperty("traceId").GetString().ShouldNotBeNullOrEmpty();
        (await answer.Content.ReadAsStringAsync()).ShouldNotContain("Password");
    }

    [Fact]
    public async Task A_database_that_is_away_is_a_503_with_a_time_to_retry()
    {
        using var answer = await Server.SendAsync(HttpMethod.Get, "/ask");
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));
        await answer.ReadProblemAsync("database-unavailable");
    }

    [Fact]
    public async Task A_full_disk_is_a_507()
    {
        using var answer = await Server.SendAsync(HttpMethod.Get, "/write");
        answer.StatusCode.ShouldBe(HttpStatusCode.InsufficientStorage);
        await answer.ReadProblemAsync("disk-full");
    }

    [Fact]
    public async Task A_problem_is_written_whatever_the_client_accepts()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/nothing");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/octet-stream"));
        using var answer = await Server.Client.SendAsync(request);
        await answer.ReadProblemAsync("route-unknown");
    }

    [Fact]
    public Task A_fault_in_the_middle_of_an_answer_breaks_it_off() =>
        Should.ThrowAsync<HttpRequestException>(() => Server.Client.GetByteArrayAsync("/half"));

    private static void Map(WebApplication app)
    {
        app.MapPut("/body", (Body body) => body.Size);
        app.MapGet("/list", (int limit) => limit);
        app.MapPut("/small", CountAsync);
        app.MapPut("/any", CountAsync).AcceptsBodyOfAnySize();
        app.MapGet("/fails", Fail(new InvalidOperationException("Password=x")));
        app.MapGet("/ask", async () => await AskAsync($"Host=127.0.0.1;Port={ClosedPort()};Username=nobody;Timeout=2"));
        app.MapGet("/write", () => File.WriteAllBytesAsync("/dev/full", [1]));
        app.MapGet("/half", BreakOffAsync);
    }

    private static async Task<string> CountAsync(Stream body)
    {
        var buffer = new byte[64 * 1024];
        long count = 0;
        for (int read; (read = await body.ReadAsync(buffer)) > 0; )
        {
            count += read;
        }

        return $"{count}";
    }

    private static async Task BreakOffAsync(HttpContext context)
    {
        await context.Response.Body.WriteAsync(new byte[10]);
        await context.Response.Body.FlushAsync();
        throw new InvalidOperationException("half");
    }

    private static ByteArrayContent Typed(ReadOnlySpan<byte> body, string type)
    {
        var content = new ByteArrayContent(body.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", type).ShouldBeTrue();
        return content;
    }

    private static Func<string> Fail(Exception fault) => () => throw fault;

    private static async Task<string> AskAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        return connection.ServerVersion;
    }

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
