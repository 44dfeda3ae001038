using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace FileTransfer.Cli.Commands;

/// <summary>The library's help, followed by notes, examples and exit codes.</summary>
internal sealed class CommandHelp(HelpAction inner) : SynchronousCommandLineAction
{
    private static readonly ExitCode[] _always = [ExitCode.Ok, ExitCode.Failed, ExitCode.Usage];

    /// <summary>Help is shown also where required arguments are missing.</summary>
    public override bool ClearsParseErrors => true;

    public static void Install(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        option.Action = new CommandHelp((HelpAction)option.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        inner.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is CliCommand command)
        {
            Write(output, "Notes:", command.Notes);
            Write(output, "Examples:", command.Examples);
            Write(output, "Exit codes:", _always.Union(command.AllEnds).Order().Select(Line));
        }
        else
        {
            Write(output, "Exit codes:", Enum.GetValues<ExitCode>().Select(Line));
            Write(output, "Environment:", ConnectionOptions.Environment);
        }

        return (int)ExitCode.Ok;
    }

    private static string Line(ExitCode code) => $"{(int)code, 3}  {code.Meaning()}";

    private static void Write(TextWriter output, string title, IEnumerable<string> lines)
    {
        var some = lines.ToList();
        if (some.Count == 0)
        {
            return;
        }

        output.WriteLine(title);
        foreach (var line in some)
        {
            output.WriteLine($"  {line}");
        }

        output.WriteLine();
    }
}
