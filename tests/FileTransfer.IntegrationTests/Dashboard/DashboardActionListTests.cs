using System.CommandLine;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>What can be done by the program or over HTTP can be done from the page.</summary>
public sealed class DashboardActionListTests
{
    /// <summary>Commands that change nothing at a node, or that are about this machine: files of the caller, a folder, the service itself.</summary>
    private static readonly string[] _withoutPage =
    [
        "serve",
        "fingerprint",
        "key",
        "get",
        "list",
        "status",
        "audit",
        "changes",
        "events",
        "explain",
        "policy get",
        "limits get",
        "copies show",
        "quota list",
        "missing",
        "orphans list",
        "ingest status",
        "loads list",
        "loads show",
        "followers list",
        "simulate",
        "simulate gossip",
        "healthcheck",
        // What it puts is its own, and it removes that.
        "doctor",
        "support",
        "completion bash",
        "completion zsh",
        "completion fish",
        "sync status",
        "workers list",
        "token list",
        "identity show",
        "identity rotate",
        "trust list",
        "peers",
        "sync kept",
        "verify",
        "database",
        "database create-role",
        // It reads the folders of several nodes, also of those that do not run, before it decides.
        "reconcile",
        "reconcile restore",
        "reconcile discard",
    ];

    /// <summary>What nodes and the node's own software send.</summary>
    private static readonly string[] _ofSoftware =
    [
        "POST /upload/{file_key}",
        "POST /v1/files/batch",
        "PUT /v1/files/{key}",
        "POST /v1/files/{key}/damage",
        "POST /v1/sync/deliveries",
        "POST /v1/gossip",
        "POST /v1/shipments",
        "POST /v1/shipments/handshake",
        "DELETE /v1/sync/requests/{id}",
        "POST /v1/reconcile",
        "DELETE /v1/reconcile/folder/{key}",
        "DELETE /v1/orphans/hold",
    ];

    [Fact]
    public void Every_command_that_changes_something_is_an_action_of_the_page()
    {
        var commands = Program.Commands.Values.Select(create => create()).SelectMany(command => NamesOf(command, "")).ToList();

        _withoutPage.ShouldBeSubsetOf(commands);
        DashboardScripts
            .Actions.Select(action => action.Program)
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ShouldBe(commands.Except(_withoutPage).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_route_that_changes_something_for_a_person_is_an_action_of_the_page()
    {
        await using var server = await RunningServer.StartAsync();
        var document = JsonDocument.Parse(await server.Client.GetStringAsync("/swagger/v1/swagger.json")).RootElement;
        var routes = document
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"))
            .Where(route =>
                !route.StartsWith("GET ", StringComparison.Ordinal) && !route.StartsWith("HEAD ", StringComparison.Ordinal)
            )
            .ToList();

        _ofSoftware.ShouldBeSubsetOf(routes);
        DashboardScripts
            .Actions.Select(action => action.Route)
            .Order(StringComparer.Ordinal)
            .ShouldBe(routes.Except(_ofSoftware).Order(StringComparer.Ordinal));
    }

    /// <summary>A command that has others does nothing itself, unless it says so.</summary>
    private static IEnumerable<string> NamesOf(Command command, string before) =>
        command
            .Subcommands.SelectMany(sub => NamesOf(sub, $"{before}{command.Name} "))
            .Concat(command.Subcommands.Count == 0 || command.Action is not null ? [before + command.Name] : []);
}
