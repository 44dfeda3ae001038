using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer load FILE</c></summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "JSON: labels and file keys as \"files\", and how the load is to be done.",
        };
        var name = CliOption.Text("--name", "NAME", "What the load is called (default: the file's name without .json).");
        var deadline = Duration.Option("--deadline", "How long it may take, instead of what the file says.");
        var wait = CliOption.Flag("--wait", "Wait for its end.");
        return new CliCommand("load", "Makes a node download a set of files by a deadline, from whoever has them")
        {
            Notes =
            [
                "FILE is {\"files\": {\"LABEL\": \"KEY\", …}, \"deadline\": \"00:02:00\"}; beside these it may have metadata, rounds, pause, priority,",
                "sequence and readd, as PUT /v1/loads/{name} takes them. Metadata that is left out is asked of the shares.",
                "The load belongs to the node and goes on without this command; 'filetransfer loads delete NAME' ends it.",
                "Exits with 3 when it has failed, or a newer load has taken its name.",
            ],
            Examples = ["filetransfer load state-17.json --wait", "filetransfer load files.json --name state-17 --deadline 10m"],
            Ends = [ExitCode.NotComplete, ExitCode.NotFound, ExitCode.Interrupted],
        }
            .Taking(file, name, deadline, wait)
            .AsksOneNode(async run =>
            {
                var request = Read(run.Get(file));
                request = run.Given(deadline) is { } allowed ? request with { Deadline = allowed } : request;
                var path = Routes.Of(Routes.Load, run.Get(name) ?? Path.GetFileNameWithoutExtension(run.Get(file)));
                var (node, load) = await run.AskAsync(async node =>
                    (
                        node.Node,
                        await node.AskAsync<LoadResource>(HttpMethod.Put, path, NodeClient.Json(request), NodeClient.LongWithin)
                    )
                );
                return LoadLines.Show(
                    run,
                    run.Get(wait) ? await run.Console.WithProgressAsync(bars => EndOfAsync(run, node, load, bars)) : load
                );
            });
    }

    private static LoadRequest Read(string path)
    {
        try
        {
            using var file = LocalContent.Try(path, () => File.OpenRead(path));
            return JsonSerializer.Deserialize(file, CliJson.Of<LoadRequest>()) ?? throw new JsonException("It is null.");
        }
        catch (JsonException fault)
        {
            throw new CliException(ExitCode.Usage, $"{path} is not the JSON of a load: {fault.Message}", fault);
        }
    }

    private static async Task<LoadResource> EndOfAsync(Invocation run, Uri at, LoadResource load, TransferProgress bars)
    {
        var events = new NodeEvents(Routes.Of(Routes.LoadEvents, load.Name));
        var last = load;
        TransferBar? bar = null;
        try
        {
            await run
                .Nodes.At(at)
                .RunAsync(
                    node =>
                        node.FollowAsync(
                            events,
                            happened =>
                            {
                                var now = happened.Data.Deserialize(CliJson.Of<LoadResource>())!;
                                if (bar is null || now.Bytes != last.Bytes)
                                {
                                    bar?.Dispose();
                                    bar = bars.Start(now.Name, now.Bytes);
                                }

                                bar.Report(now.BytesProven);
                                last = now;
                                return Task.FromResult(now.Id == load.Id && now.State == LoadResource.Running);
                            }
                        ),
                    () => events.Count
                );
        }
        finally
        {
            bar?.Dispose();
        }

        return last.Id == load.Id ? last : last with { State = "replaced", Says = "A newer load has taken its name." };
    }
}
