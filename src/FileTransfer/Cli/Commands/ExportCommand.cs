using System.CommandLine;
using FileTransfer.Cli.Export;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer export FOLDER [KEY…]</c></summary>
public static class ExportCommand
{
    /// <summary>Enough to hide round trips and the disk's confirmations from each other.</summary>
    private const int AtOnce = 4;

    private const string DatabaseVariable = "ConnectionStrings__Postgres";

    public static Command Create(CliStreams streams)
    {
        var folder = new Argument<string>("FOLDER") { Description = "The folder of the share; created when missing." };
        var keys = IdentityOptions.Keys();
        keys.Arity = ArgumentArity.ZeroOrMore;
        var bucket = IdentityOptions.HexOption("--bucket", "Only files of this bucket.");
        var location = new Option<string>("--location")
        {
            Description = "Only files whose location begins with this text.",
            HelpName = "TEXT",
        };
        var verify = new Option<bool>("--verify")
        {
            Description = "Also verify what is in the folder already, by reading all of it.",
        };
        var data = new Option<string>("--data-directory")
        {
            Description = "Take the files from the data folder of a node that does not run, instead of asking one.",
            HelpName = "DIR",
        };
        var database = new Option<string>("--database")
        {
            Description =
                $"That node's database (environment: {DatabaseVariable}); without it, the private one in its data folder.",
            HelpName = "CONNECTION",
        };
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("export", "Writes stored files to a folder that any web server can share with nodes")
        {
            Notes =
            [
                "Each file becomes three: its content, named by the 64 hex digits of its key, and the same with .hashes and .json. Each is",
                "verified before it gets its name. What is there already is kept; an interrupted export resumes.",
                "Nodes that list the server in FileTransfer:Sources, with Kind Share, download from it and verify what they get.",
            ],
            Examples =
            [
                "filetransfer export /srv/share",
                "filetransfer export /srv/share --bucket 0x22… --location photos/ --url http://node-a:7070",
                "filetransfer export /srv/share --data-directory /var/lib/filetransfer",
            ],
            Ends =
            [
                ExitCode.NotComplete,
                ExitCode.NotFound,
                ExitCode.Refused,
                ExitCode.Unreachable,
                ExitCode.NotProven,
                ExitCode.Interrupted,
            ],
        };
        command.Add(folder);
        command.Add(keys);
        foreach (var option in (ReadOnlySpan<Option>)[bucket, location, verify, data, database])
        {
            command.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (
                result.GetResult(keys) is { Tokens.Count: > 0 }
                && (result.GetResult(bucket) is not null || result.GetResult(location) is not null)
            )
            {
                result.AddError("Files are named by their keys or by --bucket and --location, not by both.");
            }
        });
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                var filter = new ExportFilter(
                    parse.GetResult(bucket) is null ? null : parse.GetValue(bucket),
                    parse.GetValue(location)
                );
                using var share = ExportFolder.Open(parse.GetRequiredValue(folder));
                await using IExportOrigin origin = parse.GetValue(data) is { } directory
                    ? await FolderOrigin.OpenAsync(
                        directory,
                        parse.GetValue(database) ?? streams.Setting(DatabaseVariable),
                        cancellationToken
                    )
                    : new NodeOrigin(connection.Connect(parse, console));
                return await console.WithProgressAsync(progress =>
                {
                    var export = new ExportRun(origin, share, console, progress, parse.GetValue(verify));
                    return parse.GetValue(keys) is { Length: > 0 } named
                        ? export.RunAsync(named, AtOnce, cancellationToken)
                        : export.RunAsync(filter, AtOnce, cancellationToken);
                });
            }
        );
        return command;
    }
}
