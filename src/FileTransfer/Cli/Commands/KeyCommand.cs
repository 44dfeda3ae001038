using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer key</c>: the file key of a file, computed here.</summary>
public static class KeyCommand
{
    public static Command Create(CliStreams streams)
    {
        var file = new Argument<string>("FILE") { Description = "The file with the content." };
        var location = new Option<string>("--location") { Description = "The file's path in its bucket.", HelpName = "TEXT" };
        var locationHex = IdentityOptions.HexOption("--location-hex", "The same, where it is not UTF-8 text.");
        var identity = new IdentityOptions(streams);
        var command = new CliCommand("key", "Prints the file key: the hash of owner, bucket, location, size and fingerprint")
        {
            Examples =
            [
                "filetransfer key --owner 0x11… --bucket 0x22… --location photos/a.jpg a.jpg",
                "filetransfer key --json --owner 0x11… --bucket 0x22… --location a.jpg a.jpg   (all that a registration needs)",
            ],
        };
        identity.AddTo(command);
        command.Add(location);
        command.Add(locationHex);
        command.Add(file);
        command.Add(OutputOptions.Json());
        command.Validators.Add(result =>
        {
            if (result.GetResult(location) is null == result.GetResult(locationHex) is null)
            {
                result.AddError("Give the location once: with --location, or with --location-hex where it is not text.");
            }
        });
        command.SetWork(
            streams,
            (parse, console, cancellationToken) =>
                console.WithProgressAsync(async progress =>
                {
                    var text = parse.GetValue(location);
                    var place = text is null ? parse.GetValue(locationHex) : ByteString.FromUtf8(text);
                    var path = parse.GetRequiredValue(file);
                    var (owner, bucket) = (identity.Owner(parse), identity.Bucket(parse));
                    using var bar = progress.Start(Path.GetFileName(path), LocalContent.LengthOf(path));
                    var fingerprint = await LocalContent.FingerprintAsync(path, bar, cancellationToken);
                    var metadata = new FileMetadata(owner, bucket, place, (ulong)LocalContent.LengthOf(path), fingerprint);
                    if (metadata.Fault() is { } fault)
                    {
                        throw new CliException(ExitCode.Failed, $"{path}: {fault}");
                    }

                    var line = FileDescription.Of(metadata);
                    console.Result(line.Key, line, () => SparseJson.Default.FileDescription);
                    return ExitCode.Ok;
                })
        );
        return command;
    }
}
