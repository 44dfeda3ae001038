using System.Net.Http.Headers;
using System.Text.Json;
using FileTransfer.Hosting.Access;
using FileTransfer.Http;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FileTransfer.IntegrationTests.Hosting.Access;

/// <summary>Every route is asked by everybody, and lets in whom the document says.</summary>
public sealed class RouteWalkTests : IDisposable
{
    private const int LetIn = StatusCodes.Status418ImATeapot;

    /// <summary>Of the scope <c>admin</c>, for the bucket of the document's examples alone.</summary>
    private const string OfBucket = "of-bucket";

    /// <summary>In place of a token.</summary>
    private const string CertificateOfB = "certificate of b";

    /// <summary>Token, the node that is named beside it, and the scope that it gives; null where it gives none.</summary>
    private static readonly (string? Token, string? Node, string? Scope)[] _callers =
    [
        (null, null, null),
        (null, "a", null),
        ("wrong", null, null),
        ("revoked", null, null),
        ("read", null, "read"),
        ("write", null, "write"),
        ("node", null, "node"),
        ("node", "made-up", "node"),
        ("of-a", "a", "node"),
        ("of-a", "b", null),
        ("of-a", null, null),
        ("admin", null, "admin"),
        (OfBucket, null, "admin"),
        ("expired", null, null),
        (CertificateOfB, "b", "node"),
        (CertificateOfB, "a", null),
        (CertificateOfB, null, null),
    ];

    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new("Nodes");

    [Fact]
    public async Task Each_route_lets_in_those_whose_scope_the_document_names_and_nobody_else()
    {
        string[] kept =
        [
            .. AccessScopes.Scopes.Select(scope => RunningServer.Token(scope, scope)),
            RunningServer.Token("of-a", "node").Replace("\"Scopes\"", "\"Node\": \"a\", \"Scopes\"", StringComparison.Ordinal),
        ];
        File.WriteAllText(_folder.At("authority.pem"), _authority.Pem);
        _authority.Write(_folder.At("own.pem"), "node-a");
        await using var database = await PostgresCluster.CreateCatalogAsync();
        await using var server = await RunningServer.StartAsync(
            RunningServer.Tokens([.. kept, RunningServer.Token("revoked", "admin")]),
            // Whoever comes this far is let in, and nothing is done.
            app =>
                app.Use(
                    (HttpContext context, RequestDelegate _) =>
                    {
                        context.Response.StatusCode = LetIn;
                        return Task.CompletedTask;
                    }
                ),
            $"--ConnectionStrings:Postgres={database.ConnectionString}",
            "--FileTransfer:Callers:WrongTokensPerMinute=1000000",
            $"--FileTransfer:ClientAuthority={_folder.At("authority.pem")}",
            "--Kestrel:Endpoints:Plain:Url=http://127.0.0.1:0",
            "--Kestrel:Endpoints:Nodes:Url=https://127.0.0.1:0",
            "--Kestrel:Endpoints:Nodes:ClientCertificateMode=RequireCertificate",
            $"--Kestrel:Endpoints:Nodes:Certificate:Path={_folder.At("own.pem")}",
            $"--Kestrel:Endpoints:Nodes:Certificate:KeyPath={_folder.At("own.pem")}"
        );
        var urls = server.App.Urls.Select(url => new Uri(url)).ToDictionary(url => url.Scheme);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = _authority.Trust();
        handler.SslOptions.ClientCertificates = [_authority.Sign("node-b", "urn:filetransfer:node:b")];
        using var secure = new HttpClient(handler) { BaseAddress = urls["https"] };
        using var plain = new HttpClient { BaseAddress = urls["http"] };
        await server.App.Services.GetRequiredService<Database>().WaitUntilReadyAsync(default);
        var stored = server.App.Services.GetRequiredService<StoredTokens>();
        var made = new Dictionary<string, string>
        {
            [OfBucket] = (
                await stored.CreateAsync(OfBucket, ["admin"], [$"0x{new string('2', 64)}"], [], null, "", default)
            )!.Token,
            ["expired"] = (await stored.CreateAsync("expired", ["admin"], [], [], DateTimeOffset.UnixEpoch, "", default))!.Token,
        };
        var document = JsonDocument.Parse(await plain.GetByteArrayAsync("/swagger/v1/swagger.json"));
        (await AskAsync("GET", "/v1/leader", "revoked", null)).ShouldBe(LetIn);
        await File.WriteAllTextAsync(server.Folder.At("next.json"), RunningServer.Tokens(kept));
        File.Move(server.Folder.At("next.json"), server.Folder.At("appsettings.json"), overwrite: true);
        await Eventually.HoldsAsync(
            async () => await AskAsync("GET", "/v1/leader", "revoked", null) == StatusCodes.Status401Unauthorized,
            "the token is revoked"
        );

        var wrong = new List<string>();
        var routes = 0;
        foreach (var path in document.RootElement.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                routes++;
                var method = operation.Name.ToUpperInvariant();
                var needed = operation.Value.TryGetProperty("security", out _)
                    ? operation.Value.GetProperty("description").GetString()!.Split("Scope: `")[1].Split('`')[0]
                    : null;
                foreach (var (token, node, scope) in _callers)
                {
                    var status = await AskAsync(method, Filled(path.Name, operation.Value), token, node);
                    var expected =
                        needed is null ? "let in"
                        : scope is null ? "401"
                        : token == OfBucket
                        && path.Name != "/v1/caller"
                        && !path.Name.Contains("{bucket}", StringComparison.Ordinal)
                            ? "403"
                        : AccessScopes.ImpliedBy(scope).Contains(needed) ? "let in"
                        : "403";
                    var seen = status is 401 or 403 ? $"{status}" : "let in";
                    if (seen != expected)
                    {
                        wrong.Add($"{method} {path.Name} by '{token}' as '{node}': {status}, not {expected}");
                    }
                }
            }
        }

        wrong.ShouldBeEmpty();
        routes.ShouldBeGreaterThan(80);

        async Task<int> AskAsync(string method, string path, string? token, string? node)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.Authorization = token is null or CertificateOfB
                ? null
                : new AuthenticationHeaderValue("Bearer", made.GetValueOrDefault(token, token));
            request.Headers.TryAddWithoutValidation("FileTransfer-Node", node);
            using var answer = await (token == CertificateOfB ? secure : plain).SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead
            );
            return (int)answer.StatusCode;
        }
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    /// <summary>The path with the examples of the document.</summary>
    private static string Filled(string path, JsonElement operation) =>
        !operation.TryGetProperty("parameters", out var parameters)
            ? path
            : parameters
                .EnumerateArray()
                .Where(parameter => parameter.GetProperty("in").GetString() == "path")
                .Aggregate(
                    path,
                    (filled, parameter) =>
                        filled.Replace(
                            $"{{{parameter.GetProperty("name").GetString()}}}",
                            $"{parameter.GetProperty("example")}",
                            StringComparison.Ordinal
                        )
                );
}
