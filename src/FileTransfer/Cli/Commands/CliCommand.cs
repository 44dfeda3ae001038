using System.CommandLine;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>A subcommand with notes, examples and the exit codes that it can end with; its help shows them all.</summary>
internal sealed class CliCommand(string name, string description) : Command(name, description)
{
    /// <summary>What there is to know beyond the one-line description.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>The exit codes that say something of their own here, beside the ones every command has.</summary>
    public IReadOnlyList<ExitCode> Ends { get; init; } = [];

    /// <summary>Runs <paramref name="work"/> with a console, the signals SIGINT and SIGTERM, and every failure turned into an exit code.</summary>
    public void SetWork(CliStreams streams, Func<ParseResult, CliConsole, CancellationToken, Task<ExitCode>> work) =>
        SetAction(
            async (parse, cancellationToken) => (int)await CommandRun.RunWorkAsync(streams, parse, work, cancellationToken)
        );
}
