using System.CommandLine;
using System.CommandLine.Parsing;

namespace FileTransfer.Cli.Output;

/// <summary>Options whose value is a <see cref="DurationText"/>.</summary>
public static class Duration
{
    public static Option<TimeSpan> Option(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "DURATION",
            CustomParser = Parse,
        };

    private static TimeSpan Parse(ArgumentResult result)
    {
        if (!DurationText.TryParse(result.Tokens[0].Value, out var duration))
        {
            result.AddError(
                $"'{result.Tokens[0].Value}' is not a duration of at most 30 days. Write it like 500ms, 30s, 5m or 1h30m."
            );
        }

        return duration;
    }
}
