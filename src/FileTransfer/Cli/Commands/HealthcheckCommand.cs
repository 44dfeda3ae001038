using System.CommandLine;
using System.Net;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer healthcheck</c>: what a container engine asks.</summary>
public static class HealthcheckCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromSeconds(3);

    public static Command Create(CliStreams streams)
    {
        var ready = new Option<bool>("--ready")
        {
            Description = "Ask whether the node serves what it has, not only whether it is alive.",
        };
        var cluster = new Option<bool>("--cluster") { Description = "Ask whether the cluster takes uploads and removals." };
        var timeout = Duration.Option("--timeout", "How long to wait for the answer (default 3s).");
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("healthcheck", "Exits with 0 when the node is healthy, else with 1")
        {
            Notes = ["Prints what is not healthy and why, even where it exits with 0: 'degraded; disk: … (since …)'."],
            Examples =
            [
                "filetransfer healthcheck",
                "filetransfer healthcheck --ready --url http://node-a:7070",
                "filetransfer healthcheck --cluster && filetransfer put photo.jpg",
            ],
        };
        connection.AddTo(command, withRetry: false);
        command.Add(ready);
        command.Add(cluster);
        command.Validators.Add(result =>
        {
            if (result.GetResult(ready) is not null && result.GetResult(cluster) is not null)
            {
                result.AddError("--ready and --cluster are two questions. Give one of them.");
            }
        });
        command.Add(timeout);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.ConnectOnce(parse, console);
                var route =
                    parse.GetValue(cluster) ? "health/cluster"
                    : parse.GetValue(ready) ? "health/ready"
                    : "health/live";
                var within = parse.GetResult(timeout) is null ? _defaultTimeout : parse.GetValue(timeout);
                try
                {
                    return await nodes.RunAsync(
                        (node, token) => AskAsync(node, route, within, console, token),
                        cancellationToken
                    );
                }
                catch (NodeException fault)
                {
                    // A health check knows two answers.
                    console.Failure(fault);
                    return ExitCode.Failed;
                }
            }
        );
        return command;
    }

    private static async Task<ExitCode> AskAsync(
        NodeClient node,
        string route,
        TimeSpan within,
        CliConsole console,
        CancellationToken cancellationToken
    )
    {
        var (code, health) = await node.GetHealthAsync(route, within, cancellationToken);
        var healthy = code == HttpStatusCode.OK;
        var status = health?.Status ?? (healthy ? "healthy" : $"answered {(int)code}");
        var details = (health?.Checks ?? new Dictionary<string, CheckAnswer>())
            .Where(check => check.Value.Status != "healthy")
            .Select(check =>
                $"; {check.Key}: {check.Value.Detail ?? check.Value.Status}"
                + (check.Value.Since is { } since ? $" (since {since:u})" : "")
            );
        console.Result(
            status + string.Concat(details),
            new HealthLine(node.Node.Display(), status, healthy, health?.Checks),
            () => CliJson.Default.HealthLine
        );
        return healthy ? ExitCode.Ok : ExitCode.Failed;
    }
}
