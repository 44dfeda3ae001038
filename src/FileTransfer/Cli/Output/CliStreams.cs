namespace FileTransfer.Cli.Output;

/// <summary>What the program reads, writes and knows of its surroundings.</summary>
public sealed record CliStreams
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Standard output as bytes, for a content that goes there.</summary>
    public required Func<Stream> OpenOutput { get; init; }

    public required Func<Stream> OpenInput { get; init; }

    /// <summary>Whether someone watches standard error, so that progress bars make sense there.</summary>
    public required bool ErrorIsTerminal { get; init; }

    public required bool OutputIsTerminal { get; init; }

    /// <summary>Reads a variable of the environment; null where it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long a body may stand still before its connection counts as lost.</summary>
    public TimeSpan StallPeriod { get; init; } = TimeSpan.FromSeconds(20);

    public static CliStreams OfProcess() =>
        new()
        {
            Out = Console.Out,
            Error = Console.Error,
            OpenOutput = Console.OpenStandardOutput,
            OpenInput = Console.OpenStandardInput,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            OutputIsTerminal = !Console.IsOutputRedirected,
            Variable = Environment.GetEnvironmentVariable,
        };

    /// <summary>A variable that is set to something.</summary>
    public string? Setting(string name) => Variable(name) is { Length: > 0 } value ? value : null;
}
