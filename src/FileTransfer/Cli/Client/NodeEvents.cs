namespace FileTransfer.Cli.Client;

/// <summary>An event of a node's stream.</summary>
public sealed record NodeEvent(string Name, JsonElement Data)
{
    public string? Text(string name) =>
        Data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public long? Number(string name) =>
        Data.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : null;
}

/// <summary>A stream of a node's events, over as many connections as it takes: each goes on behind the last event that was read.</summary>
/// <remarks>SseParser passes over comments unseen, and a comment is how a quiet node shows that it is there.</remarks>
public sealed class NodeEvents(string path)
{
    /// <summary>A node that follows shows itself at least every 10 s.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    public string Path => path;

    public string? LastId { get; private set; }

    /// <summary>Events read so far.</summary>
    public long Count { get; private set; }

    /// <summary>Reads until <paramref name="take"/> returns false.</summary>
    /// <returns>False when the stream ended before.</returns>
    public async Task<bool> ReadAsync(Stream stream, Func<NodeEvent, Task<bool>> take, IdleTimeout watch)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var (id, name, data) = (LastId, "", new StringBuilder());
        while (await reader.ReadLineAsync(watch.Token) is { } line)
        {
            watch.Moved();
            var (field, value) = FieldOf(line);
            switch (field)
            {
                case "id":
                    id = value;
                    break;
                case "event":
                    name = value;
                    break;
                case "data":
                    data.Append(data.Length > 0 ? "\n" : "").Append(value);
                    break;
                case "" when line.Length == 0:
                    if (data.Length > 0)
                    {
                        Count++;
                        using var document = JsonDocument.Parse(data.ToString());
                        if (!await take(new NodeEvent(name, document.RootElement.Clone())))
                        {
                            return true;
                        }
                    }

                    LastId = id;
                    name = "";
                    data.Clear();
                    break;
            }
        }

        return false;
    }

    /// <summary>A line that begins with a colon is a comment, and names no field.</summary>
    private static (string Field, string Value) FieldOf(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon < 0
            ? (line, "")
            : (line[..colon], line.AsSpan(colon + 1) is [' ', .. var value] ? value.ToString() : line[(colon + 1)..]);
    }
}
