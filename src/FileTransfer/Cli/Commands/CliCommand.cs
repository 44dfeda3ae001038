using System.CommandLine;
using System.CommandLine.Parsing;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary>A subcommand with notes, examples and the exit codes that it can end with; its help shows them all.</summary>
internal sealed class CliCommand(string name, string description) : Command(name, description)
{
    private static readonly ExitCode[] _endsOfNodes = [ExitCode.Refused, ExitCode.Unreachable, ExitCode.Unavailable];

    private bool _asksNodes;

    /// <summary>What there is to know beyond the one-line description.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>The exit codes that say something of their own here, beside those of every command, and of every one that asks nodes.</summary>
    public IReadOnlyList<ExitCode> Ends { get; init; } = [];

    /// <summary>The exit codes of this command and its subcommands that not every command has.</summary>
    public IEnumerable<ExitCode> AllEnds =>
        Ends.Concat(_asksNodes ? _endsOfNodes : [])
            .Concat(Subcommands.OfType<CliCommand>().SelectMany(command => command.AllEnds));

    /// <summary>Adds arguments, options and subcommands, in the order of the help.</summary>
    public CliCommand Taking(params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument:
                    Add(argument);
                    break;
                case Option option:
                    Add(option);
                    break;
                case Command command:
                    Add(command);
                    break;
            }
        }

        return this;
    }

    /// <summary>Refuses what does not go together; <paramref name="fault"/> says what is wrong, or null.</summary>
    public CliCommand Refusing(Func<CommandResult, string?> fault)
    {
        Validators.Add(result =>
        {
            if (fault(result) is { } wrong)
            {
                result.AddError(wrong);
            }
        });
        return this;
    }

    /// <summary>Runs <paramref name="work"/> with the signals SIGINT and SIGTERM, and turns every failure into an exit code.</summary>
    public CliCommand Runs(Func<Invocation, Task<ExitCode>> work) => Runs(work, connect: null);

    /// <summary>Runs <paramref name="work"/> at whichever of the given nodes answers, or at their leader.</summary>
    public CliCommand AsksNodes(Func<Invocation, Task<ExitCode>> work) => Asks(work, toOne: false);

    /// <summary>Runs <paramref name="work"/> for what belongs to one node, and must not go to another because that one is away.</summary>
    public CliCommand AsksOneNode(Func<Invocation, Task<ExitCode>> work) => Asks(work, toOne: true);

    /// <summary>Runs <paramref name="work"/> without trying again.</summary>
    public CliCommand AsksOnce(Func<Invocation, Task<ExitCode>> work)
    {
        var connection = new ConnectionOptions();
        return Taking([.. connection.WithoutRetry]).Runs(work, connection.ConnectOnce);
    }

    private CliCommand Asks(Func<Invocation, Task<ExitCode>> work, bool toOne)
    {
        _asksNodes = true;
        var connection = new ConnectionOptions();
        return Taking([.. connection.All]).Runs(work, toOne ? connection.ConnectToOne : connection.Connect);
    }

    private CliCommand Runs(Func<Invocation, Task<ExitCode>> work, Func<Invocation, NodeSet>? connect)
    {
        Add(CliOption.Json());
        SetAction(async (parse, cancellation) => (int)await CommandRun.RunWorkAsync(parse, work, connect, cancellation));
        return this;
    }
}
