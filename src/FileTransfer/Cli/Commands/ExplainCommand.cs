using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer explain KEY</c></summary>
public static class ExplainCommand
{
    public static Command Create(CliStreams streams)
    {
        var key = IdentityOptions.Key();
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand(
            "explain",
            "Says why a node does not have a file: state, holder, sources tried, next attempt"
        )
        {
            Notes =
            [
                "The answer is about the node that answers; others are named as sources. Exits with 3 when the node lacks the file.",
            ],
            Examples = ["filetransfer explain 0x3f… --url http://node-b:7070"],
            Ends = [ExitCode.NotComplete, ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(key);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                var file = parse.GetValue(key);
                var answer = await nodes.RunAsync((node, token) => node.ExplainAsync(file, token), cancellationToken);
                var says = answer.GetProperty("says").EnumerateArray().Select(sentence => sentence.GetString());
                console.Result(string.Join(Environment.NewLine, says), answer, () => SparseJson.Default.JsonElement);
                return answer.GetProperty("state").GetString() == "stored" ? ExitCode.Ok : ExitCode.NotComplete;
            }
        );
        return command;
    }
}
