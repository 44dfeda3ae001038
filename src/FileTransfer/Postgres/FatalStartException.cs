namespace FileTransfer.Postgres;

/// <summary>The service cannot start until a person changes something. The message says what.</summary>
/// <remarks>The process ends with <see cref="ExitCode"/>, so that a supervisor does not take it for a crash worth a quick restart.</remarks>
public sealed class FatalStartException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>EX_CONFIG of sysexits.h.</summary>
    public const int ExitCode = 78;
}
