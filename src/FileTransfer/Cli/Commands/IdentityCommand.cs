using System.CommandLine;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Folder;
using FileTransfer.Cli.Output;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer identity show|rotate</c></summary>
internal static class IdentityCommand
{
    public static Command Create() =>
        new CliCommand("identity", "Shows and replaces the key by which others know a node")
        {
            Notes = ["It is in node.key of the node's data folder, and counts whether the node runs or not."],
            Examples = ["filetransfer identity show", "filetransfer identity rotate --data-directory /var/lib/filetransfer"],
        }.Taking(CreateShow(), CreateRotate());

    private static CliCommand CreateShow() =>
        Create(
            "show",
            "Prints the public key, for others to trust it; makes the key where there is none",
            NodeKeyFile.ReadOrMake
        );

    private static CliCommand CreateRotate() =>
        Create(
            "rotate",
            "Puts a new key in place of the one that is there, which testifies to it; a node that runs signs with it within seconds",
            NodeKeyFile.Rotate
        );

    private static CliCommand Create(string name, string description, Func<string, NodeKeys> work)
    {
        var folder = CliOption.Text(
            "--data-directory",
            "DIR",
            "The node's data folder (default: FileTransfer:DataDirectory, as for serve)."
        );
        return new CliCommand(name, description) { Examples = [$"filetransfer identity {name}"], Ends = [ExitCode.Configuration] }
            .Taking(folder)
            .Runs(run =>
            {
                var path = Path.GetFullPath(run.Get(folder) ?? Configured());
                var key = work(path).Current.Public.ToString();
                var node = NodeFile.ReadOf(path)?.Node;
                return Task.FromResult(run.Show($"{node ?? "not started yet"}\t{key}", new IdentityLine(node, key)));
            });
    }

    private static string Configured()
    {
        using var settings = new ConfigurationManager();
        using var files = new SettingFiles();
        files.AddTo(settings, [], Directory.GetCurrentDirectory());
        return settings[$"{StoreOptions.Section}:{nameof(StoreOptions.DataDirectory)}"] is { Length: > 0 } configured
            ? configured
            : new StoreOptions().DataDirectory;
    }
}
