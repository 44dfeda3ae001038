using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary>Options and arguments in the forms that several commands have.</summary>
internal static class CliOption
{
    private const string JsonName = "--json";

    /// <summary>The same for every command that has something to say.</summary>
    public static Option<bool> Json() =>
        Flag(JsonName, "Write one JSON object per line instead of text, errors (on standard error) too.");

    public static bool WantsJson(ParseResult parse) =>
        parse.CommandResult.Command.Options.FirstOrDefault(option => option.Name == JsonName) is Option<bool> json
        && parse.GetValue(json);

    public static Option<bool> Flag(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description };

    public static Option<string> Text(string name, string helpName, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = helpName };

    /// <summary>It may be given several times.</summary>
    public static Option<string[]> Texts(string name, string helpName, string description) =>
        new(name) { Description = description, HelpName = helpName };

    public static Argument<string[]> Several(string name, ArgumentArity arity, string description) =>
        new(name) { Description = description, Arity = arity };

    /// <summary>A whole number from 1 to <paramref name="most"/>.</summary>
    public static Option<int> Number(string name, int most, string description)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N" };
        Check(option, text => int.TryParse(text, out var number) && number >= 1 && number <= most, $"a number from 1 to {most}");
        return option;
    }

    /// <summary>Refuses what is not right, and says what to write instead.</summary>
    public static void Check(Option option, Func<string, bool> isRight, string form) =>
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => !isRight(token.Value)))
            {
                result.AddError($"{option.Name} is '{token.Value}'. Write {form}.");
            }
        });
}
