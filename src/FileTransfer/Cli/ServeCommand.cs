using System.CommandLine;
using FileTransfer.Hosting;

namespace FileTransfer.Cli;

/// <summary><c>filetransfer serve</c>: the service; everything after the word is its configuration.</summary>
public static class ServeCommand
{
    public static Command Create()
    {
        var command = new CliCommand("serve", "Runs a node")
        {
            Notes =
            [
                "Configuration comes from appsettings.json, the environment (FileTransfer__NodeId=a) and this command line:",
                "--adopt-catalog goes on with a catalog that is not the data folder's own; nothing is collected until a person has looked.",
                "--urls URL, and any --Section:Key=value. SIGTERM and Ctrl-C drain and stop it; a second one hurries.",
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
