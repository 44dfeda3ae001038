using System.CommandLine;
using System.Net;

namespace FileTransfer.Cli;

/// <summary><c>filetransfer healthcheck</c>: what a container engine asks.</summary>
public static class HealthcheckCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromSeconds(3);

    public static Command Create(CliStreams streams)
    {
        var ready = new Option<bool>("--ready") { Description = "Ask whether it can do its work, not only whether it lives." };
        var timeout = Duration.Option("--timeout", "How long to wait for the answer (default 3s).");
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("healthcheck", "Exits with 0 when the node is healthy, else with 1")
        {
            Examples = ["filetransfer healthcheck", "filetransfer healthcheck --ready --url http://node-a:7070"],
        };
        connection.AddTo(command, withRetry: false);
        command.Add(ready);
        command.Add(timeout);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.ConnectOnce(parse, console);
                var route = parse.GetValue(ready) ? "health/ready" : "health/live";
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
        var details = (health?.Checks ?? new Dictionary<string, HealthCheckAnswer>())
            .Where(check => check.Value.Status != "healthy")
            .Select(check => $"; {check.Key}: {check.Value.Detail ?? check.Value.Status}");
        console.Result(
            status + string.Concat(details),
            new HealthLine(node.Node.Display(), status, healthy, health?.Checks),
            () => CliJson.Default.HealthLine
        );
        return healthy ? ExitCode.Ok : ExitCode.Failed;
    }
}
