using System.Text.Json;
using System.Text.Json.Serialization;

namespace FileTransfer.Contracts;

/// <summary>How routes answer, and what they are sent: what is null is written so, unless a member says otherwise.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BatchRequest))]
[JsonSerializable(typeof(ClusterResource))]
[JsonSerializable(typeof(DamageFinding))]
[JsonSerializable(typeof(DamageReport))]
[JsonSerializable(typeof(ExplanationResource))]
[JsonSerializable(typeof(FileListing))]
[JsonSerializable(typeof(FileRegistration))]
[JsonSerializable(typeof(FileResource))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(IntentResource))]
[JsonSerializable(typeof(LeaderResource))]
[JsonSerializable(typeof(MissingFile))]
[JsonSerializable(typeof(NodeRemovalResource))]
[JsonSerializable(typeof(OrphansDiscarded))]
[JsonSerializable(typeof(OrphansResource))]
[JsonSerializable(typeof(PolicyChangeResource))]
[JsonSerializable(typeof(PolicyDefinition))]
[JsonSerializable(typeof(PolicyResource))]
[JsonSerializable(typeof(ReconcileRequest))]
[JsonSerializable(typeof(ReconcileResource))]
[JsonSerializable(typeof(RetriedResource))]
[JsonSerializable(typeof(ScrubRequest))]
[JsonSerializable(typeof(ScrubResource))]
[JsonSerializable(typeof(SourcesResource))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>What is null is left out: events, the lines of a reconciliation, and all that the program sends, reads and prints.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(CatalogLine))]
[JsonSerializable(typeof(ClusterResource))]
[JsonSerializable(typeof(EventResource))]
[JsonSerializable(typeof(FileListing))]
[JsonSerializable(typeof(FileRegistration))]
[JsonSerializable(typeof(FileResource))]
[JsonSerializable(typeof(FileStateResource))]
[JsonSerializable(typeof(FolderLine))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(IntentResource))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(LeaderResource))]
[JsonSerializable(typeof(MissingFile))]
[JsonSerializable(typeof(FileDescription))]
[JsonSerializable(typeof(NodeRemovalResource))]
[JsonSerializable(typeof(NodeStateResource))]
[JsonSerializable(typeof(PolicyChangeResource))]
[JsonSerializable(typeof(PolicyDefinition))]
[JsonSerializable(typeof(PolicyResource))]
[JsonSerializable(typeof(ProblemBody))]
[JsonSerializable(typeof(ReconcileRequest))]
[JsonSerializable(typeof(ReconcileResource))]
[JsonSerializable(typeof(RetriedResource))]
[JsonSerializable(typeof(ScrubRequest))]
[JsonSerializable(typeof(ScrubResource))]
internal sealed partial class SparseJson : JsonSerializerContext;
