using System.CommandLine;
using FileTransfer.Hosting;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer serve</c>: the service; everything after the word is its configuration.</summary>
public static class ServeCommand
{
    internal static Command Create()
    {
        var command = new CliCommand("serve", "Runs a node")
        {
            Notes =
            [
                "Configuration comes from appsettings.json, the environment (FileTransfer__NodeId=a) and this command line, where every",
                "setting is --Section:Key=value and --urls URL says where to listen; later sources override earlier ones.",
                "--adopt-catalog accepts a catalog that is not the data folder's own; no orphan is deleted until a person has looked.",
                "SIGTERM and Ctrl-C drain and stop the node; a second one stops it at once.",
            ],
            TreatUnmatchedTokensAsErrors = false,
            Examples =
            [
                "filetransfer serve",
                "filetransfer serve --urls http://127.0.0.1:7071 --FileTransfer:NodeId=b --FileTransfer:DataDirectory=/var/lib/filetransfer",
            ],
            Ends = [ExitCode.Configuration],
        };

        // The host listens to SIGINT and SIGTERM itself, so that it can drain; nothing else may end it first.
        command.SetAction(
            (parse, cancellationToken) => FileTransferServer.RunAsync([.. parse.UnmatchedTokens], cancellationToken)
        );
        return command;
    }
}
