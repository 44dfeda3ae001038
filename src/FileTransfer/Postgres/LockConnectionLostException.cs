namespace FileTransfer.Postgres;

/// <summary>The session is gone, and every lock it held with it. Whoever holds a lease on it must stop; a new session may try again.</summary>
public sealed class LockConnectionLostException(string message, Exception? innerException = null)
    : Exception(message, innerException);
