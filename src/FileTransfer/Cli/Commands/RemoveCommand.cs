using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer remove KEY…</c></summary>
public static class RemoveCommand
{
    public static Command Create(CliStreams streams)
    {
        var keys = IdentityOptions.Keys();
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand(
            "remove",
            "Removes files from every node of the cluster, even while they are being downloaded"
        )
        {
            Examples = ["filetransfer remove 0x3f… 0x9a… --url http://node-a:7070"],
            Ends = [ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(keys);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                var end = ExitCode.Ok;
                foreach (var key in parse.GetRequiredValue(keys))
                {
                    try
                    {
                        await RemoveAsync(nodes, key, cancellationToken);
                        console.Result(
                            $"{key} removed",
                            new RemoveLine(key.ToString(), "removed"),
                            () => CliJson.Default.RemoveLine
                        );
                    }
                    catch (NodeException fault) when (fault.Remedy == RetryAdvice.OtherNode)
                    {
                        end = end.And(console.Failure(fault, key.ToString()));
                    }
                }

                return end;
            }
        );
        return command;
    }

    private static Task<bool> RemoveAsync(NodeSet nodes, FileKey key, CancellationToken cancellationToken) =>
        nodes.RunAsync(
            async (node, token) =>
            {
                await node.RemoveAsync(key, token);
                return true;
            },
            cancellationToken
        );
}
