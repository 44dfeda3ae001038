using System.CommandLine;
using System.Globalization;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer events [KEY]</c></summary>
public static class EventsCommand
{
    public static Command Create(CliStreams streams)
    {
        var key = IdentityOptions.Key();
        key.Arity = ArgumentArity.ZeroOrOne;
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("events", "Follows what happens to the downloads of a node, or to one file there")
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
            Ends = [ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable, ExitCode.Interrupted],
        };
        command.Add(key);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                var file = parse.GetResult(key) is { Tokens.Count: > 0 } ? $"v1/files/{parse.GetValue(key)}/events" : "v1/events";
                var events = new NodeEvents(file);
                await nodes.RunAsync(
                    async (node, token) =>
                    {
                        await node.FollowAsync(events, (happened, _) => ShowAsync(happened, console, streams.Time), token);
                        return true;
                    },
                    cancellationToken,
                    () => events.Count
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static Task<bool> ShowAsync(NodeEvent happened, CliConsole console, TimeProvider time)
    {
        var downloads = happened.Data.TryGetProperty("downloading", out var list) ? list.EnumerateArray().ToList() : null;
        if (console.IsJson || downloads is null)
        {
            Show(happened, console, time);
            return Task.FromResult(true);
        }

        foreach (var download in downloads)
        {
            Show(new NodeEvent("downloading", download), console, time);
        }

        return Task.FromResult(true);
    }

    private static void Show(NodeEvent happened, CliConsole console, TimeProvider time)
    {
        var at = happened.Text("at") ?? time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        var bytes = happened.Number("size") is { } size ? $"{happened.Number("bytesProven") ?? 0}/{size}" : "-";
        string[] cells =
        [
            DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, out var moment)
                ? moment.UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)
                : at,
            happened.Text("state") ?? happened.Name,
            happened.Text("key") ?? "-",
            happened.Text("source") ?? "-",
            bytes,
            happened.Text("reason") ?? "-",
        ];
        console.Result(string.Join('\t', cells), happened.Data, () => SparseJson.Default.JsonElement);
    }
}
