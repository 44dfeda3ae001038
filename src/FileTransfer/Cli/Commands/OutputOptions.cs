using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary>The option <c>--json</c>, the same for every command that has something to say.</summary>
internal static class OutputOptions
{
    private const string Name = "--json";

    public static Option<bool> Json() =>
        new(Name) { Description = "Write one JSON object per line instead of text, errors (on standard error) too." };

    public static bool WantsJson(ParseResult parse) =>
        parse.CommandResult.Command.Options.FirstOrDefault(option => option.Name == Name) is Option<bool> json
        && parse.GetValue(json);
}
