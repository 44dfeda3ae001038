using System.Text.Json.Serialization;

namespace FileTransfer.Cli.Output;

/// <summary>A failure, on standard error: the file or key it is about, and the problem's title and type where a node said it.</summary>
public sealed record ErrorLine(string Error, string? Title, string? Type, string? Subject, int ExitCode);

public sealed record NoticeLine(string Notice);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ErrorLine))]
[JsonSerializable(typeof(NoticeLine))]
internal sealed partial class ConsoleJson : JsonSerializerContext;
