using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer events [KEY]</c></summary>
internal static class EventsCommand
{
    public static Command Create()
    {
        var key = IdentityOptions.Key(ArgumentArity.ZeroOrOne);
        return new CliCommand("events", "Follows what happens to the downloads of a node, or to one file there")
        {
            Notes =
            [
                "The current state comes first, then every change, until interrupted. After a lost connection, it resumes where it stopped.",
                "Each line: time, event, key, source, bytes proven/size, reason; separated by tabs, - where there is none.",
            ],
            Examples =
            [
                "filetransfer events --url http://node-b:7070",
                "filetransfer events 0x3f…",
                "filetransfer events --json | jq 'select(.kind == \"failed\")'",
            ],
            Ends = [ExitCode.NotFound, ExitCode.Interrupted],
        }
            .Taking(key)
            .AsksNodes(async run =>
            {
                var events = new NodeEvents(run.IsGiven(key) ? Routes.Of(Routes.FileEvents, run.Get(key)) : Routes.Events);
                await run.Nodes.RunAsync(
                    node => node.FollowAsync(events, happened => ShowAsync(happened, run)),
                    () => events.Count
                );
                return ExitCode.Ok;
            });
    }

    private static Task<bool> ShowAsync(NodeEvent happened, Invocation run)
    {
        NodeEvent[] shown =
            !run.Console.IsJson && happened.Data.TryGetProperty("downloading", out var list)
                ? [.. list.EnumerateArray().Select(download => new NodeEvent("downloading", download))]
                : [happened];
        foreach (var one in shown)
        {
            run.Console.Result(TextOf(one, run.Time), one.Data);
        }

        return Task.FromResult(true);
    }

    private static string TextOf(NodeEvent happened, TimeProvider time)
    {
        var at = happened.Text("at") ?? time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        return string.Join(
            '\t',
            DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, out var moment)
                ? moment.UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)
                : at,
            happened.Text("state") ?? happened.Name,
            happened.Text("key") ?? "-",
            happened.Text("source") ?? "-",
            happened.Number("size") is { } size ? $"{happened.Number("bytesProven") ?? 0}/{size}" : "-",
            happened.Text("reason") ?? "-"
        );
    }
}
