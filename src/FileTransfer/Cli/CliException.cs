namespace FileTransfer.Cli;

/// <summary>Ends a piece of work with a message for the person at the terminal.</summary>
/// <remarks>The message says what went wrong, with the value, and what to do next; the code is what the program exits with.</remarks>
public sealed class CliException(ExitCode code, string detail, Exception? cause = null) : Exception(detail, cause), IFailure
{
    public ExitCode Code => code;
}
