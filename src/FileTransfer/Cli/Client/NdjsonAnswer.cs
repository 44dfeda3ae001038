using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Client;

/// <summary>An answer of a node that is a line of JSON after the other, read as it comes.</summary>
public sealed class NdjsonAnswer<T>(
    Uri node,
    HttpResponseMessage response,
    StreamReader reader,
    IdleTimeout stall,
    CancellationToken cancellationToken
) : IDisposable
    where T : class
{
    /// <returns>Null at the end.</returns>
    public async Task<T?> ReadAsync()
    {
        string? line;
        try
        {
            line = await reader.ReadLineAsync(stall.Token);
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }

        stall.Moved();
        try
        {
            return line is null
                ? null
                : JsonSerializer.Deserialize(line, CliJson.Of<T>()) ?? throw new JsonException("A line is null.");
        }
        catch (JsonException fault)
        {
            throw NodeClient.InvalidAnswer(node, fault);
        }
    }

    public void Dispose()
    {
        stall.Dispose();
        reader.Dispose();
        response.Dispose();
    }
}
