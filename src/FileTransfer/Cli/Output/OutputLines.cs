namespace FileTransfer.Cli.Output;

/// <summary>A line of <c>fingerprint --json</c>.</summary>
public sealed record FingerprintLine(string Path, string Fingerprint);

/// <summary>The answer of <c>identity --json</c>. The node is null before the first start.</summary>
public sealed record IdentityLine([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Node, string PublicKey);

/// <summary>A line of <c>put --json</c>. The outcome is <c>uploaded</c>, or <c>known</c> where the node had it already.</summary>
public sealed record PutLine(
    string Key,
    string Path,
    string? Location,
    ulong Size,
    string Fingerprint,
    string Outcome,
    string Node,
    double Seconds
)
{
    public static PutLine Of(FileKey key, string path, FileMetadata metadata, bool isKnown, string node, TimeSpan took) =>
        new(
            key.ToString(),
            path,
            metadata.Location.AsUtf8(),
            metadata.Size,
            metadata.Fingerprint.ToString(),
            isKnown ? "known" : "uploaded",
            node,
            Math.Round(took.TotalSeconds, 3)
        );
}

/// <summary>A line of <c>get --json</c>. It is proven against the <c>key</c>, or against the <c>fingerprint</c> alone, as a node without its database names it.</summary>
public sealed record GetLine(string Key, string Path, ulong Size, string Fingerprint, double Seconds, string Proven);

/// <summary>
/// A line of <c>export --json</c>. The outcome is <c>exported</c>, by <c>download</c>, <c>copy</c>, <c>reflink</c> or <c>link</c>, or
/// <c>kept</c> where it was in the folder already.
/// </summary>
public sealed record ExportLine(string Key, string? Location, ulong Size, string Outcome, string? By);

/// <summary>A line of <c>remove --json</c> and <c>retry --json</c>: the state of the file, at the node where it is retried.</summary>
public sealed record KeyStateLine(string Key, string State);

/// <summary>
/// A line of <c>doctor --json</c>. The status is <c>ok</c>, <c>warning</c>, <c>critical</c>, <c>unknown</c> (the check could not be made) or <c>skipped</c>; the
/// advice says what to do next.
/// </summary>
public sealed record FindingLine(
    string Check,
    string Status,
    string Seen,
    string? Advice,
    IReadOnlyDictionary<string, double>? Figures
);

/// <summary>What <c>status --json</c> writes; complete when every node is heard of and none has anything left to bring or take away.</summary>
public sealed record ClusterStatusLine(bool Complete, string? Cluster, LeaderResource? Leader, IReadOnlyList<NodeResource> Nodes);

/// <summary>What <c>status KEY --json</c> writes; <c>notStoredOn</c> names the nodes that lack the file.</summary>
public sealed record FileStatusLine(bool Complete, IReadOnlyList<string> NotStoredOn, FileResource File);

/// <summary>A line of <c>simulate --json</c>: times in seconds, what the leader sent in contents; <c>alone</c> is without other sources.</summary>
public sealed record SimulationLine(
    int Nodes,
    int Stored,
    double First,
    double Median,
    double P95,
    double All,
    double LeaderCopies,
    double Fairness,
    long TurnedAway,
    double AloneAll,
    double AloneLeaderCopies,
    long Events,
    int Seed
);

/// <summary>A line of <c>simulate gossip --json</c>: times in seconds, what is sent by one node; a time is left out where it took too long.</summary>
public sealed record GossipSimulationLine(
    int Nodes,
    double QuietMessagesPerSecond,
    double QuietBytesPerSecond,
    int? Rounds,
    double? Killed,
    double? Healed,
    double HealingBytes,
    int? ChurnRounds,
    double ChurnBytesPerSecond,
    double? Settled,
    int Suspected,
    int SeenDead,
    long Events,
    int Seed
);

public sealed record HealthLine(string Node, string Status, bool Healthy, IReadOnlyDictionary<string, CheckAnswer>? Checks);

public sealed record DatabaseLine(string ConnectionString, string DataDirectory);

/// <summary>What <c>database create-role --json</c> writes; without the connection string where a file has it.</summary>
public sealed record DatabaseRoleLine(string Role, string? ConnectionString);

/// <summary>A failure, on standard error: the file or key it is about, and the problem's title and type where a node said it.</summary>
public sealed record ErrorLine(string Error, string? Title, string? Type, string? Subject, int ExitCode);

/// <summary>A file that two nodes do not both have stored, and its state at each; null where one does not know it.</summary>
public sealed record VerifyLine(string Key, string Difference, string? StateA, string? StateB);

/// <summary>What <c>support --json</c> writes: the archive, and the names of what is in it.</summary>
public sealed record SupportLine(string Path, IReadOnlyList<string> Parts);

public sealed record NoticeLine(string Notice);
