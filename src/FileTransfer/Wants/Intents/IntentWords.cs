using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Intents;

/// <summary>What an intent and its file's replica come to, in words.</summary>
internal static class IntentWords
{
    /// <param name="sources">The other nodes that have the file stored.</param>
    /// <param name="configured">How many sources outside the cluster are configured.</param>
    /// <param name="others">Other intents for the file that stand; asked for where this one is withdrawn.</param>
    public static string Of(
        IntentRecord intent,
        ReplicaRecord? replica,
        IReadOnlyList<string> sources,
        int configured,
        int others
    ) =>
        intent.Outcome switch
        {
            IntentOutcome.Stored => "It is stored here.",
            IntentOutcome.Failed => $"It could not be brought here: {intent.Reason}.",
            IntentOutcome.Removed => "The file was removed from the cluster.",
            IntentOutcome.Withdrawn => $"Withdrawn; {AfterWithdrawal(replica, others)}",
            _ => Standing(replica, sources, configured),
        };

    private static string AfterWithdrawal(ReplicaRecord? replica, int others) =>
        replica?.State switch
        {
            null or ReplicaState.Removing => "nobody else wants the file here, so it is given up.",
            ReplicaState.Stored => "the file is stored here and stays.",
            _ when others == 1 => "1 other intent wants the file here.",
            _ when others > 1 => $"{others} other intents want the file here.",
            _ => "the policy, or whoever registered it here, wants the file all the same.",
        };

    private static string Standing(ReplicaRecord? replica, IReadOnlyList<string> sources, int configured) =>
        replica?.State switch
        {
            ReplicaState.Downloading => $"It is being downloaded; {replica.BytesProven} bytes are proven.",
            ReplicaState.Stored => "It is stored here.",
            ReplicaState.Failed => $"It could not be brought here: {replica.Reason}.",
            ReplicaState.Paused => $"It is paused: {replica.Reason}.",
            ReplicaState.Wanted when replica.WaitsFor == WaitCondition.Upload => "It waits for its upload to this node.",
            _ when sources.Count == 0 && configured == 0 => "No other node has it stored now; it is fetched as soon as one has.",
            ReplicaState.Wanted when sources.Count == 0 && replica.NextAttemptAt is null =>
                "No other node has it stored now; the configured sources are asked.",
            ReplicaState.Wanted when replica is { Reason: { } reason, NextAttemptAt: { } next } =>
                $"It is tried again at {next.ToString("u", CultureInfo.InvariantCulture)}: {reason}.",
            _ => $"It is fetched as soon as a lane is free; {Have(sources)}.",
        };

    private static string Have(IReadOnlyList<string> sources) =>
        sources.Count switch
        {
            0 => "the configured sources are asked",
            1 => $"{sources[0]} has it stored",
            var count => $"{count} nodes have it stored",
        };
}
