using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Output;

/// <summary>A line of <c>reconcile --json</c>: a file with which something is to be done.</summary>
/// <param name="Verdict"><c>restore</c>, <c>remove</c>, <c>stays-removed</c>, <c>lost</c> or <c>undecided</c>.</param>
/// <param name="Holders">The nodes whose folders have the content.</param>
public sealed record VerdictLine(
    string Key,
    string Verdict,
    string Reason,
    string? Location,
    string? LocationHex,
    ulong? Size,
    IReadOnlyList<string> Holders
)
{
    public static VerdictLine Of(Verdict verdict)
    {
        var location = verdict.Metadata?.Location.AsUtf8();
        return new VerdictLine(
            verdict.Key.ToString(),
            NameOf(verdict.Kind),
            verdict.Reason,
            location,
            location is null ? verdict.Metadata?.Location.ToString() : null,
            verdict.Metadata?.Size,
            verdict.Holders
        );
    }

    public override string ToString() =>
        string.Join('\t', Verdict, Key, Size?.ToString() ?? "-", PrintedText.Line(Location ?? LocationHex ?? "-"), Reason);

    private static string NameOf(VerdictKind kind) =>
        kind switch
        {
            VerdictKind.InOrder => "in-order",
            VerdictKind.StaysRemoved => "stays-removed",
            _ => kind.ToString().ToLowerInvariant(),
        };
}

/// <summary>The last line of <c>reconcile --json</c>.</summary>
/// <param name="Applied">Whether it was done, or would be.</param>
/// <param name="Changed">Files that something else happened to meanwhile; they are looked at by the next run.</param>
/// <param name="MembersNotIn">The nodes whose folders have not been looked at and are not written off.</param>
public sealed record ReconcileSummary(
    bool Applied,
    long InOrder,
    long Restored,
    long Removed,
    long StaysRemoved,
    long Lost,
    long Undecided,
    long Changed,
    int Policies,
    IReadOnlyList<string> MembersNotIn
)
{
    public override string ToString()
    {
        var words = Applied ? "" : "to be ";
        return $"{InOrder} in order, {Restored} {words}restored, {Removed} {words}removed again, {StaysRemoved} stay removed, {Lost} lost, {Undecided} undecided"
            + (Policies > 0 ? $", {Policies} policies {words}restored" : "")
            + (Changed > 0 ? $", {Changed} changed meanwhile" : "");
    }
}
