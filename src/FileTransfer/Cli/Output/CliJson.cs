using System.Text.Json.Serialization.Metadata;

namespace FileTransfer.Cli.Output;

/// <summary>What commands print with <c>--json</c> that is not an answer of a node.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ClusterStatusLine))]
[JsonSerializable(typeof(DatabaseLine))]
[JsonSerializable(typeof(DatabaseRoleLine))]
[JsonSerializable(typeof(ErrorLine))]
[JsonSerializable(typeof(ExportLine))]
[JsonSerializable(typeof(FileStatusLine))]
[JsonSerializable(typeof(FindingLine))]
[JsonSerializable(typeof(FingerprintLine))]
[JsonSerializable(typeof(GetLine))]
[JsonSerializable(typeof(HealthLine))]
[JsonSerializable(typeof(IdentityLine))]
[JsonSerializable(typeof(KeyStateLine))]
[JsonSerializable(typeof(NoticeLine))]
[JsonSerializable(typeof(PutLine))]
[JsonSerializable(typeof(ReconcileSummary))]
[JsonSerializable(typeof(SimulationLine))]
[JsonSerializable(typeof(GossipSimulationLine))]
[JsonSerializable(typeof(SupportLine))]
[JsonSerializable(typeof(VerdictLine))]
[JsonSerializable(typeof(VerifyLine))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>How a type is sent to a node, read from it and printed. Asked only then: making it takes a tenth of a short command's time.</summary>
    public static JsonTypeInfo<T> Of<T>() =>
        (JsonTypeInfo<T>)(
            SparseJson.Default.GetTypeInfo(typeof(T))
            ?? Default.GetTypeInfo(typeof(T))
            ?? WireJson.Default.GetTypeInfo(typeof(T))!
        );
}
