namespace FileTransfer.Contracts;

/// <summary>The id of a request, by its caller or else by the node: the same in the answer, the log and the audit log of every node that it comes to.</summary>
public static class RequestIdHeader
{
    public const string Name = "X-Request-Id";
}
