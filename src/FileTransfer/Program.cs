using System.CommandLine;
using FileTransfer.Cli;
using FileTransfer.Cli.Commands;
using FileTransfer.Cli.Output;

namespace FileTransfer;

/// <summary>The program <c>filetransfer</c>: one binary for the service and for the hands that work with it.</summary>
public static class Program
{
    public static Task<int> Main(string[] args) => RunAsync(args, CliStreams.OfProcess(), CancellationToken.None);

    /// <summary>The commands by their names, in the order that the help has them.</summary>
    internal static IReadOnlyDictionary<string, Func<Command>> Commands { get; } =
        new OrderedDictionary<string, Func<Command>>
        {
            ["serve"] = ServeCommand.Create,
            ["fingerprint"] = FingerprintCommand.Create,
            ["key"] = KeyCommand.Create,
            ["put"] = PutCommand.Create,
            ["get"] = GetCommand.Create,
            ["list"] = ListCommand.Create,
            ["export"] = ExportCommand.Create,
            ["remove"] = RemoveCommand.Create,
            ["token"] = TokenCommand.Create,
            ["identity"] = IdentityCommand.Create,
            ["trust"] = TrustCommand.Create,
            ["restore"] = RestoreCommand.Create,
            ["status"] = StatusCommand.Create,
            ["node"] = NodeCommand.Create,
            ["fetch"] = FetchCommand.Create,
            ["load"] = LoadCommand.Create,
            ["loads"] = LoadsCommand.Create,
            ["adopt"] = AdoptCommand.Create,
            ["retry"] = RetryCommand.Create,
            ["audit"] = AuditCommand.Create,
            ["pause"] = PauseCommand.CreatePause,
            ["resume"] = PauseCommand.CreateResume,
            ["cancel"] = CancelCommand.Create,
            ["priority"] = PriorityCommand.Create,
            ["copies"] = CopiesCommand.Create,
            ["quota"] = QuotaCommand.Create,
            ["workers"] = WorkersCommand.Create,
            ["changes"] = ChangesCommand.Create,
            ["events"] = EventsCommand.Create,
            ["explain"] = ExplainCommand.Create,
            ["policy"] = PolicyCommand.Create,
            ["limits"] = LimitsCommand.Create,
            ["scrub"] = ScrubCommand.Create,
            ["missing"] = MissingCommand.Create,
            ["orphans"] = OrphansCommand.Create,
            ["simulate"] = SimulateCommand.Create,
            ["healthcheck"] = HealthcheckCommand.Create,
            ["doctor"] = DoctorCommand.Create,
            ["support"] = SupportCommand.Create,
            ["reconcile"] = ReconcileCommand.Create,
            ["ingest"] = IngestCommand.Create,
            ["sync"] = SyncCommand.Create,
            ["followers"] = FollowersCommand.Create,
            ["peers"] = PeersCommand.Create,
            ["verify"] = VerifyCommand.Create,
            ["database"] = DatabaseCommand.Create,
            ["completion"] = CompletionCommand.Create,
        };

    internal static Task<int> RunAsync(string[] args, CliStreams streams, CancellationToken cancellationToken)
    {
        var root = new CliRoot(streams);

        // A command that is named needs none of the others: making them all takes longer than many a command itself.
        var named = args.Length > 0 ? Commands.GetValueOrDefault(args[0]) : null;
        if (named is null && args is [[not ('-' or '/' or '['), ..] unknown, ..])
        {
            streams.Error.WriteLine(CommandNames.Unknown(unknown, Commands.Keys));
            return Task.FromResult((int)ExitCode.Usage);
        }

        foreach (var create in named is null ? Commands.Values : [named])
        {
            root.Add(create());
        }

        return CommandRun.RunAsync(root, args, cancellationToken);
    }
}
