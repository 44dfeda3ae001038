namespace FileTransfer.Contracts;

/// <summary>The header in which whoever asks names a request that waits, so that it can be ended.</summary>
public static class RequestHeader
{
    public const string Name = "FileTransfer-Request-Id";

    /// <summary>Longest name of a request.</summary>
    public const int MostCharacters = 64;
}
