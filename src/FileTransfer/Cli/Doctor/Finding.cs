using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Doctor;

/// <summary>What a check came to, from what matters least to what matters most.</summary>
internal enum FindingLevel
{
    Skipped,
    Ok,

    /// <summary>The check itself could not be made.</summary>
    Unknown,
    Warning,
    Critical,
}

/// <summary>What a check found.</summary>
/// <param name="Seen">What it saw, in words.</param>
/// <param name="Advice">What to do next; null where there is nothing to do.</param>
internal sealed record Finding(FindingLevel Level, string Seen, string? Advice = null)
{
    public string Check { get; init; } = "";

    /// <summary>What was measured, for whoever plots it.</summary>
    public Dictionary<string, double>? Figures { get; init; }

    public static Finding Ok(string seen) => new(FindingLevel.Ok, seen);

    public static Finding Warning(string seen, string advice) => new(FindingLevel.Warning, seen, advice);

    public static Finding Critical(string seen, string? advice = null) => new(FindingLevel.Critical, seen, advice);

    public static Finding Unknown(string seen, string advice) => new(FindingLevel.Unknown, seen, advice);

    public static Finding Skipped(string why) => new(FindingLevel.Skipped, why);

    public string Word =>
        Level switch
        {
            FindingLevel.Ok => "OK",
            FindingLevel.Warning => "WARN",
            FindingLevel.Critical => "FAIL",
            FindingLevel.Unknown => "??",
            _ => "--",
        };

    public string Line => $"{Word, -5} {Text}";

    /// <summary>Name, what was seen and what to do, in one line.</summary>
    public string Text => OneLine($"{Check, -15} {Seen.TrimEnd('.')}{(Advice is null ? "" : $". {Advice.TrimEnd('.')}")}");

    public FindingLine ToLine() =>
        new(Check, Level.ToString().ToLowerInvariant(), OneLine(Seen), Advice is null ? null : OneLine(Advice), Figures);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
