using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>The program, and what it reads and writes.</summary>
internal sealed class CliRoot(CliStreams streams)
    : RootCommand("Keeps the same files on every node of a cluster and verifies every byte against the file's key.")
{
    public CliStreams Streams => streams;
}

/// <summary>Runs one command line: parses it, runs the work, and turns how it ended into an exit code.</summary>
internal static class CommandRun
{
    public static async Task<int> RunAsync(CliRoot root, string[] args, CancellationToken cancellationToken)
    {
        CommandHelp.Install(root);
        var streams = root.Streams;

        // A name that begins with @ is a file's name like any other, not a list of arguments.
        var parse = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var errors = parse.Action is ParseErrorAction ? [.. parse.Errors.Select(error => error.Message)] : Strays(parse);
        if (errors.Count > 0)
        {
            foreach (var error in errors)
            {
                await streams.Error.WriteLineAsync($"error: {error}");
            }

            await streams.Error.WriteLineAsync($"Run '{PathOf(parse.CommandResult.Command)} --help' to see how it is used.");
            return (int)ExitCode.Usage;
        }

        var configuration = new InvocationConfiguration
        {
            Output = streams.Out,
            Error = streams.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return await parse.InvokeAsync(configuration, cancellationToken);
    }

    internal static async Task<ExitCode> RunWorkAsync(
        ParseResult parse,
        Func<Invocation, Task<ExitCode>> work,
        Func<Invocation, NodeSet>? connect,
        CancellationToken cancellationToken
    )
    {
        using var interruption = new Interruption(cancellationToken);
        using var run = new Invocation(parse, connect, interruption.Token);
        try
        {
            return await work(run);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return interruption.Code;
        }
        catch (Exception fault)
        {
            return run.Console.Failure(fault);
        }
    }

    private static string PathOf(Command command) =>
        command is RootCommand ? "filetransfer" : $"{PathOf(command.Parents.OfType<Command>().First())} {command.Name}";

    /// <summary>Mistyped options, which the parser takes for the names of files.</summary>
    private static List<string> Strays(ParseResult parse)
    {
        if (parse.Action is CommandHelp)
        {
            return [];
        }

        var meant = parse
            .Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash)
            .ToHashSet(ReferenceEqualityComparer.Instance);
        return
        [
            .. parse
                .CommandResult.Command.Arguments.SelectMany(argument => parse.GetResult(argument)?.Tokens ?? [])
                .Where(token => token.Value.Length > 1 && token.Value[0] == '-' && !meant.Contains(token))
                .Select(token =>
                    $"'{token.Value}' is not an option of this command. If it is the name of a file, write ./{token.Value}."
                ),
        ];
    }
}
