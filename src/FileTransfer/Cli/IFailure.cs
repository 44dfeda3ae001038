namespace FileTransfer.Cli;

/// <summary>A failure that knows what it is worth to a script, and what a node called it.</summary>
public interface IFailure
{
    ExitCode Code { get; }

    /// <summary>The title of the problem (RFC 9457) that a node answered with; null where none did.</summary>
    string? Title => null;

    /// <summary>The type of that problem.</summary>
    string? Type => null;
}
