namespace FileTransfer.Cli.Output;

/// <summary>What commands print with <c>--json</c> that is not an answer of a node.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ClusterStatusLine))]
[JsonSerializable(typeof(DatabaseLine))]
[JsonSerializable(typeof(ErrorLine))]
[JsonSerializable(typeof(ExportLine))]
[JsonSerializable(typeof(FileStatusLine))]
[JsonSerializable(typeof(FingerprintLine))]
[JsonSerializable(typeof(GetLine))]
[JsonSerializable(typeof(HealthLine))]
[JsonSerializable(typeof(KeyStateLine))]
[JsonSerializable(typeof(NoticeLine))]
[JsonSerializable(typeof(PutLine))]
[JsonSerializable(typeof(ReconcileSummary))]
[JsonSerializable(typeof(SimulationLine))]
[JsonSerializable(typeof(VerdictLine))]
internal sealed partial class CliJson : JsonSerializerContext;
