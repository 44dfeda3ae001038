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
}

/// <summary>How an answer in lines that has begun says that its request failed; without it the connection is cut.</summary>
public sealed record FinalLine(Func<ProblemDetails, Task> WriteAsync);
