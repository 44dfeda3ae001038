namespace FileTransfer.Cli;

/// <summary>How the program ended; the numbers are part of its contract with scripts.</summary>
public enum ExitCode
{
    Ok = 0,
    Failed = 1,
    Usage = 2,
    NotComplete = 3,
    TimedOut = 4,
    NotFound = 5,
    Refused = 6,
    Unreachable = 7,
    LeftOut = 8,
    Unavailable = 9,
    NotProven = 65,
    Configuration = 78,
    Interrupted = 130,
    Terminated = 143,
}

public static class ExitCodeWords
{
    public static string Meaning(this ExitCode code) =>
        code switch
        {
            ExitCode.Ok => "done",
            ExitCode.Failed => "something failed; standard error says what",
            ExitCode.Usage => "the command line is wrong",
            ExitCode.NotComplete => "not there yet: this node lacks the file, or some node lacks something",
            ExitCode.TimedOut => "timed out",
            ExitCode.NotFound => "there is no such file, node, intent or load",
            ExitCode.Refused => "the node requires a token, or one with more rights",
            ExitCode.Unreachable => "no node could be reached",
            ExitCode.LeftOut => "done, except for empty files, which cannot be stored",
            ExitCode.Unavailable => "a node answered that it cannot do it now: no database, no leader, or it is stopping",
            ExitCode.NotProven => "a content does not match its fingerprint",
            ExitCode.Configuration => "the configuration or the environment is wrong",
            ExitCode.Interrupted => "interrupted (Ctrl-C)",
            ExitCode.Terminated => "terminated (SIGTERM)",
            _ => code.ToString(),
        };

    /// <summary>The end of several pieces of work: what all that failed have in common, else <see cref="ExitCode.Failed"/>.</summary>
    public static ExitCode And(this ExitCode one, ExitCode other) =>
        (one, other) switch
        {
            (ExitCode.Ok, _) => other,
            (_, ExitCode.Ok) => one,
            _ when one == other => one,
            _ => ExitCode.Failed,
        };
}
