using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Http;

/// <summary>Answers that are a line of JSON after the other.</summary>
public static class Ndjson
{
    public const string MediaType = "application/x-ndjson";

    public static void WriteLine<T>(PipeWriter output, T line, JsonTypeInfo<T> type)
    {
        using (var json = new Utf8JsonWriter(output))
        {
            JsonSerializer.Serialize(json, line, type);
        }

        output.Write("\n"u8);
    }

    /// <summary>The next line, as soon as it is here; null at the end. What a peer sends before the end of a line does not fill the memory.</summary>
    /// <exception cref="JsonException">It is not what is expected, or longer than <paramref name="longest"/> bytes.</exception>
    public static async ValueTask<T?> ReadLineAsync<T>(
        PipeReader input,
        JsonTypeInfo<T> type,
        int longest,
        CancellationToken cancellationToken
    )
        where T : class
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Parse(read.Buffer.Slice(0, end), type);
                input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }

            if (read.Buffer.Length > longest)
            {
                throw new JsonException($"A line is longer than {longest} bytes.");
            }

            if (read.IsCompleted)
            {
                return null;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static T? Parse<T>(ReadOnlySequence<byte> line, JsonTypeInfo<T> type)
    {
        var json = new Utf8JsonReader(line);
        return JsonSerializer.Deserialize(ref json, type);
    }
}

/// <summary>How an answer in lines that has begun says that its request failed; without it the connection is cut.</summary>
public sealed record FinalLine(Func<ProblemDetails, Task> WriteAsync);
