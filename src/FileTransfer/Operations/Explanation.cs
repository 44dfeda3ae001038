using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Operations;

/// <summary>Says why a file is not here, or that it is: sentences for the person who asks at night, the answer first.</summary>
internal static partial class Explanation
{
    public static IReadOnlyList<string> Of(ExplainedFile file) =>
        [
            .. State(file),
            .. Damage(file),
            .. Obstacles(file),
            .. NeedsSource(file) ? [.. Sources(file), .. Diagnostics(file)] : Array.Empty<string>(),
            .. Trials(file),
            .. Wants(file),
        ];

    private static IEnumerable<string> State(ExplainedFile file)
    {
        if (file.File.State == FileState.Removed)
        {
            yield return $"The file was removed from the cluster{(file.File.RemovedAt is { } at ? $" at {Time(at)}" : "")}.";
            if (file.Here is { } left)
            {
                // A removal that failed is tried again within seconds.
                yield return left.NextAttemptAt is { } until && until > file.Standing.Now + TimeSpan.FromMinutes(1)
                    ? $"Its content is kept here until {Time(until)}, unless the disk needs the room; 'filetransfer restore' brings the file back."
                    : "Its bytes are being deleted here.";
            }

            yield break;
        }

        yield return file.Here switch
        {
            null => Absent(file),
            { State: ReplicaState.Stored } here => $"It is stored here since {Time(here.ChangedAt)}.",
            { State: ReplicaState.Downloading } here => Downloading(file, here),
            { State: ReplicaState.Wanted } here => Wanted(file, here),
            { State: ReplicaState.Failed } here =>
                $"It has failed: all {here.Attempts} attempts are spent. The last one said: {here.Reason}. "
                    + "It is tried again when another node gets it stored, when a source comes back, once in a while to see whether what failed it "
                    + "is still so, and when somebody asks for it (filetransfer retry).",
            { State: ReplicaState.Paused } here => $"It is paused: {here.Reason ?? "a person set it aside"}.",
            { State: ReplicaState.Removing } here => $"It is being given up here: {here.Reason ?? "not wanted any more"}.",
            _ => throw new ArgumentOutOfRangeException(nameof(file), file.Here, "Not a state."),
        };
        if (file.Here is { State: ReplicaState.Downloading } held)
        {
            yield return Lock(file, held);
        }

        if (file.File.State == FileState.Registered && file.Here?.State != ReplicaState.Stored)
        {
            yield return "The file is registered only: the leader does not have its content yet, so its Add is not in the feed.";
        }
    }

    private static IEnumerable<string> Damage(ExplainedFile file)
    {
        if (file is { Damage: { } damage, File.State: not FileState.Removed })
        {
            yield return $"Its content was damaged here ({damage.Reason}) and set aside at {Time(damage.At)}, as quarantine/{damage.Name}.";
            if (file.Holders.Count == 0)
            {
                yield return "Nobody else has it: upload the file again, or bring back a node or a folder that has it.";
            }
        }
    }

    private static string Absent(ExplainedFile file) =>
        file.FeedLag > 0
            ? $"It is not known to be wanted here yet: this node has not read the last {file.FeedLag} mutations of bin {file.File.Key.Bin}, "
                + "and its Add may be among them."
        : !file.Standing.PolicyWants ? "It is not wanted here: the policy of its bucket leaves it out, and no intent asks for it."
        : file.File.State == FileState.Registered ? "It is not wanted here yet; it is as soon as its Add is in the feed."
        : "It is not wanted here: it was given up, and nobody has asked for it since.";

    private static string Downloading(ExplainedFile file, ReplicaRecord here)
    {
        var proven = Math.Max(here.BytesProven, file.Live?.BytesProven ?? 0);
        var percent = (100.0 * proven / file.File.Size).ToString("0", CultureInfo.InvariantCulture);
        var from = file.Live?.Source is { } source ? $", from {source}" : "";
        return $"It is being downloaded since {Time(here.ChangedAt)}{from}: {proven} of {file.File.Size} bytes ({percent} %) are proven.";
    }

    private static string Lock(ExplainedFile file, ReplicaRecord here) =>
        file.Standing.IsHeld == true
            ? $"{here.Holder} holds its lock (backend {file.Standing.HolderPid}, epoch {here.Epoch})."
            : $"Its holder {here.Holder} has lost its lock (epoch {here.Epoch}); another lane takes it over within seconds, and goes on "
                + "with what is proven.";

    private static string Wanted(ExplainedFile file, ReplicaRecord here)
    {
        var since = file.Standing.WantedAt is { } at ? $" since {Time(at)}" : "";
        if (ObstaclesOf(file).FirstOrDefault() is { } obstacle)
        {
            // Nothing else ends the wait before this does.
            return $"It is wanted{since}. {obstacle}";
        }

        if (here.NextAttemptAt is not { } next)
        {
            var before = file.Standing.Ahead switch
            {
                null or 0 => "it is the next one to start",
                1 => "1 file starts before it",
                > ReplicaDiagnostics.MostCounted => $"more than {ReplicaDiagnostics.MostCounted} files start before it",
                var ahead => $"{ahead} files start before it",
            };
            return $"It is wanted{since} and waits for a free lane; {before}.";
        }

        if (here.WaitsFor == WaitCondition.Upload)
        {
            return $"It waits for its upload to this node{(file.Leads ? ", which leads" : "")}.";
        }

        var kept = here.BytesProven > 0 ? $"; {here.BytesProven} of {file.File.Size} bytes are proven and kept" : "";
        var tried = here.Attempts > 0 ? $" {here.Attempts} of {file.MaxAttempts} attempts have failed." : "";
        return $"It is wanted{since} and waits: {here.Reason ?? "for its next attempt"}{kept}.{tried} {Next(file, next)}";
    }

    private static string Next(ExplainedFile file, DateTimeOffset next)
    {
        var sooner = file.Here?.WaitsFor switch
        {
            WaitCondition.Source => ", or as soon as a source answers",
            WaitCondition.Permit => ", or as soon as a source has a permit for it",
            _ when file.File.State == FileState.Registered => ", or as soon as it is uploaded, or another node gets it stored",
            _ => ", or as soon as another node gets it stored",
        };
        if (file.Here?.WaitsFor == WaitCondition.Provider && next <= file.Standing.Now)
        {
            return $"It is being looked for{sooner.Replace(", or", ", and is fetched", StringComparison.Ordinal)}.";
        }

        return next == DateTimeOffset.MaxValue ? $"It is tried again{sooner[", or".Length..]}."
            : next <= file.Standing.Now ? "It is tried again now."
            : $"It is tried again in {Span(next - file.Standing.Now)}, at {Time(next)}{sooner}.";
    }

    /// <summary>The first of them begins what is said of a wanted file, and is not said twice.</summary>
    private static IEnumerable<string> Obstacles(ExplainedFile file) =>
        file.Here?.State switch
        {
            ReplicaState.Wanted => ObstaclesOf(file).Skip(1),
            ReplicaState.Downloading => ObstaclesOf(file),
            _ => [],
        };

    /// <summary>What holds up every download of this node, the widest first.</summary>
    private static IEnumerable<string> ObstaclesOf(ExplainedFile file)
    {
        if (file.NotJoinedBecause is { } absent)
        {
            yield return $"This node has not joined its cluster, so nothing starts: {absent}.";
        }

        if (file.NoRoomBecause is { } full)
        {
            yield return $"No download starts here: {full}.";
        }

        if (file.LaneShortage is { } shortage)
        {
            yield return $"Only {shortage.Allowed} of {shortage.Lanes} lanes run here since {Time(shortage.Since)}: {shortage.Reason}.";
        }
    }

    private static IEnumerable<string> Wants(ExplainedFile file)
    {
        if (file.Standing.Loads is { } loads)
        {
            yield return $"It is wanted here by a load that runs: {loads}.";
        }

        if (file.Intents.Count > 0)
        {
            var oldest = file.Intents[0];
            var caller = oldest.Caller is { } name ? $" by {name}" : "";
            yield return file.Intents.Count == 1
                ? $"One intent asks for it here, made{caller} at {Time(oldest.AskedAt)}."
                : $"{file.Intents.Count} intents ask for it here, the oldest made{caller} at {Time(oldest.AskedAt)}.";
        }
        else if (
            file.Standing.Loads is null
            && file.Here is { State: not (ReplicaState.Stored or ReplicaState.Removing) }
            && !file.Standing.PolicyWants
        )
        {
            yield return file.Standing.IsPinned
                ? "The policy of its bucket leaves it out, but it was registered or uploaded at this node."
                : "The policy of its bucket leaves it out, and no intent asks for it: it goes with the next review.";
        }
    }

    private static string Time(DateTimeOffset at) => at.ToString("u", CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) =>
        span.TotalSeconds switch
        {
            < 0 => "0 s",
            < 10 => $"{span.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s",
            < 120 => $"{span.TotalSeconds:0} s",
            < 7200 => $"{span.TotalMinutes:0} min",
            < 172800 => $"{span.TotalHours:0} h",
            _ => $"{span.TotalDays:0} days",
        };
}
