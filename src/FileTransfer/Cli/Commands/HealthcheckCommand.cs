using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer healthcheck</c>: what a container engine asks.</summary>
internal static class HealthcheckCommand
{
    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromSeconds(3);

    public static Command Create()
    {
        var ready = CliOption.Flag("--ready", "Ask whether the node serves what it has, not only whether it is alive.");
        var cluster = CliOption.Flag("--cluster", "Ask whether the cluster takes uploads and removals.");
        var timeout = Duration.Option("--timeout", "How long to wait for the answer (default 3s).");
        return new CliCommand("healthcheck", "Exits with 0 when the node is healthy, else with 1")
        {
            Notes = ["Prints what is not healthy and why, even where it exits with 0: 'degraded; disk: … (since …)'."],
            Examples =
            [
                "filetransfer healthcheck",
                "filetransfer healthcheck --ready --url http://node-a:7070",
                "filetransfer healthcheck --cluster && filetransfer put photo.jpg",
            ],
        }
            .Taking(ready, cluster, timeout)
            .Refusing(result =>
                result.GetResult(ready) is not null && result.GetResult(cluster) is not null
                    ? "--ready and --cluster are two questions. Give one of them."
                    : null
            )
            .AsksOnce(async run =>
            {
                var route =
                    run.Get(cluster) ? $"{Routes.Health}/cluster"
                    : run.Get(ready) ? $"{Routes.Health}/ready"
                    : $"{Routes.Health}/live";
                try
                {
                    return await run.AskAsync(node => AskAsync(node, route, run.Given(timeout) ?? _defaultTimeout, run.Console));
                }
                catch (NodeException fault)
                {
                    // A health check knows two answers.
                    run.Console.Failure(fault);
                    return ExitCode.Failed;
                }
            });
    }

    private static async Task<ExitCode> AskAsync(NodeClient node, string route, TimeSpan within, CliConsole console)
    {
        var (code, health, _) = await node.GetHealthAsync(route, within);
        var healthy = code == HttpStatusCode.OK;
        var status = health?.Status ?? (healthy ? "healthy" : $"answered {(int)code}");
        console.Result(status + HealthText.IllsOf(health), new HealthLine(node.Node.Display(), status, healthy, health?.Checks));
        return healthy ? ExitCode.Ok : ExitCode.Failed;
    }
}
