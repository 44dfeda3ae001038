using System.CommandLine;
using FileTransfer.Cli;

namespace FileTransfer;

/// <summary>The program <c>filetransfer</c>: one binary for the service and for the hands that work with it.</summary>
public static class Program
{
    public static Task<int> Main(string[] args) => RunAsync(args, CliStreams.OfProcess(), CancellationToken.None);

    internal static Task<int> RunAsync(string[] args, CliStreams streams, CancellationToken cancellationToken)
    {
        RootCommand root = new("Keeps the same files on every node of a cluster, each byte proven against the file's own name.")
        {
            ServeCommand.Create(),
            FingerprintCommand.Create(streams),
            KeyCommand.Create(streams),
            PutCommand.Create(streams),
            GetCommand.Create(streams),
            ExportCommand.Create(streams),
            RemoveCommand.Create(streams),
            StatusCommand.Create(streams),
            FetchCommand.Create(streams),
            EventsCommand.Create(streams),
            ExplainCommand.Create(streams),
            PolicyCommand.Create(streams),
            LimitsCommand.Create(streams),
            MissingCommand.Create(streams),
            SimulateCommand.Create(streams),
            HealthcheckCommand.Create(streams),
            DatabaseCommand.Create(streams),
        };
        return CommandRun.RunAsync(root, args, streams, cancellationToken);
    }
}
