using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Operations;

internal static partial class Explanation
{
    private static bool NeedsSource(ExplainedFile file) =>
        file.File.State != FileState.Removed && file.Here?.State != ReplicaState.Stored;

    private static IEnumerable<string> Sources(ExplainedFile file)
    {
        yield return file.Holders.Count == 0
            ? "No other node has it stored."
            : $"Nodes that have it stored: {string.Join(", ", file.Holders.Select(Describe))}.";
        if (file.Shares.Count > 0)
        {
            yield return $"Configured sources that may have it: {string.Join(", ", file.Shares)}.";
        }
    }

    /// <summary>Sources of this file that are not asked as others are: since when, why, until when.</summary>
    private static IEnumerable<string> Diagnostics(ExplainedFile file)
    {
        var mine = file.Holders.Select(holder => $"node {holder.Node}").Concat(file.Shares).ToHashSet();
        foreach (var source in (file.Met ?? []).Where(source => mine.Contains(source.Id.Value)))
        {
            var since = source.For is { } age ? $" since {Time(file.Standing.Now - age)}" : "";
            var until = source.AskedAgainIn is { } left ? $", until {Time(file.Standing.Now + left)}" : "";
            if (source.IsDemoted)
            {
                yield return $"{source.Id} is asked last{since}{until}, but where a file has no other source: it sent wrong bytes of "
                    + $"{source.Strikes} files, the last time: {source.Reason}.";
            }
            else if (source.FileBackoff > TimeSpan.Zero)
            {
                yield return $"{source.Id} sent wrong bytes of this file: others are asked first, until "
                    + $"{Time(file.Standing.Now + source.FileBackoff)}.";
            }

            if (source.IsPaused)
            {
                yield return $"{source.Id} is left alone{since}{until}, as it asked: {source.Reason}.";
            }
        }
    }

    private static string Describe(Holder holder)
    {
        string[] remarks =
        [
            .. holder.Leads ? ["leads"] : Array.Empty<string>(),
            .. holder.SilentFor is { } silent ? [$"not heard of for {Span(silent)}"] : Array.Empty<string>(),
        ];
        return remarks.Length == 0 ? holder.Node.Value : $"{holder.Node} ({string.Join(", ", remarks)})";
    }

    private static IEnumerable<string> Trials(ExplainedFile file) =>
        file.Here?.State == ReplicaState.Stored
            ? []
            : file
                .Trials.Reverse()
                .Select(trial =>
                    $"{trial.Source}, {Span(file.Standing.Now - trial.At)} ago: {trial.Outcome.TrimEnd('.')}"
                    + $"{(trial.Times > 1 ? $" ({trial.Times} times)" : "")}."
                );
}
