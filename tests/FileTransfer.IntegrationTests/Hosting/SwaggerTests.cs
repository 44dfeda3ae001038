using System.Text.Json;
using FileTransfer.Http;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Hosting;

public sealed class SwaggerTests
{
    [Fact]
    public async Task The_description_tells_scope_tag_and_problems_of_a_route()
    {
        await using var server = await RunningServer.StartAsync(
            null,
            app =>
                app.MapGroup("/files")
                    .RequireAuthorization(AccessScopes.Write)
                    .WithTags("Files")
                    .ProducesProblems(ProblemTypes.FileKeyMalformed)
                    .MapGet("/{key}", (string key) => key)
                    .ProducesProblems(ProblemTypes.FileUnknown, ProblemTypes.FileRemoved)
        );
        var document = JsonDocument.Parse(await server.Client.GetStringAsync("/swagger/v1/swagger.json")).RootElement;
        var route = document.GetProperty("paths").GetProperty("/files/{key}").GetProperty("get");
        route.GetProperty("tags")[0].GetString().ShouldBe("Files");
        route.GetProperty("description").GetString()!.ShouldContain("Scope: `write`");
        route.GetProperty("security")[0].TryGetProperty("bearer", out _).ShouldBeTrue();
        var responses = route.GetProperty("responses");
        responses.GetProperty("200").ValueKind.ShouldBe(JsonValueKind.Object);
        ProblemsOf("400").GetProperty("description").GetString()!.ShouldContain("file-key-malformed");
        ProblemsOf("401").GetProperty("description").GetString()!.ShouldContain("unauthenticated");
        ProblemsOf("403").GetProperty("description").GetString()!.ShouldContain("forbidden");
        var notFound = ProblemsOf("404");
        notFound.GetProperty("description").GetString()!.ShouldContain("file-unknown");
        notFound.GetProperty("description").GetString()!.ShouldContain("file-removed");
        notFound.GetProperty("content").TryGetProperty("application/problem+json", out _).ShouldBeTrue();

        JsonElement ProblemsOf(string status) =>
            document
                .GetProperty("components")
                .GetProperty("responses")
                .GetProperty(responses.GetProperty(status).GetProperty("$ref").GetString()!.Split('/')[^1]);
    }

    [Fact]
    public async Task Every_route_has_a_summary_and_a_tag()
    {
        await using var server = await RunningServer.StartAsync();
        var document = JsonDocument.Parse(await server.Client.GetStringAsync("/swagger/v1/swagger.json")).RootElement;
        var operations = document
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => (path.Name, method)));
        foreach (var (path, method) in operations)
        {
            method.Value.TryGetProperty("summary", out _).ShouldBeTrue($"{method.Name} {path} has no summary");
            method.Value.TryGetProperty("tags", out _).ShouldBeTrue($"{method.Name} {path} has no tag");
        }
    }

    [Fact]
    public async Task The_pages_load_nothing_from_elsewhere()
    {
        await using var server = await RunningServer.StartAsync();
        var page = await server.Client.GetStringAsync("/swagger/index.html");
        page.ShouldContain("swagger-ui-bundle.js");
        page.ShouldNotContain("http://");
        page.ShouldNotContain("https://");
        (await server.Client.GetByteArrayAsync("/swagger/swagger-ui-bundle.js")).Length.ShouldBeGreaterThan(100_000);
        (await server.Client.GetByteArrayAsync("/swagger/swagger-ui.css")).Length.ShouldBeGreaterThan(10_000);
    }
}
