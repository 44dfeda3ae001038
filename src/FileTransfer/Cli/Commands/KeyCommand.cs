using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer key</c>: the file key of a file, computed here.</summary>
internal static class KeyCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The file with the content." };
        var location = CliOption.Text("--location", "TEXT", "The file's path in its bucket.");
        var locationHex = IdentityOptions.HexOption("--location-hex", "The same, where it is not UTF-8 text.");
        var identity = new IdentityOptions();
        return new CliCommand("key", "Prints the file key: the hash of owner, bucket, location, size and fingerprint")
        {
            Examples =
            [
                "filetransfer key --owner 0x11… --bucket 0x22… --location photos/a.jpg a.jpg",
                "filetransfer key --json --owner 0x11… --bucket 0x22… --location a.jpg a.jpg   (all that a registration needs)",
            ],
        }
            .Taking([.. identity.All, location, locationHex, file])
            .Refusing(result =>
                result.GetResult(location) is null == result.GetResult(locationHex) is null
                    ? "Give the location once: with --location, or with --location-hex where it is not text."
                    : null
            )
            .Runs(run =>
                run.Console.WithProgressAsync(async progress =>
                {
                    var place = run.Get(location) is { } text ? ByteString.FromUtf8(text) : run.Get(locationHex);
                    var path = run.Get(file);
                    var (owner, bucket) = (identity.Owner(run), identity.Bucket(run));
                    var size = LocalContent.LengthOf(path);
                    using var bar = progress.Start(Path.GetFileName(path), size);
                    var metadata = await LocalContent.NameAsync(path, size, owner, bucket, place, bar, run.CancellationToken);
                    var line = FileDescription.Of(metadata);
                    return run.Show(line.Key!, line);
                })
            );
    }
}
