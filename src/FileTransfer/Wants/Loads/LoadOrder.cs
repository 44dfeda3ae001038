using System.Security.Cryptography;

namespace FileTransfer.Wants.Loads;

/// <summary>A load as it is asked for, with nothing wrong in it.</summary>
/// <param name="Metadata">JSON, where it came along; in the order of the labels, as the keys are.</param>
/// <param name="Digest">The same for two that name the same files by the same labels.</param>
internal sealed record LoadOrder(
    string Name,
    string[] Labels,
    FileKey[] Keys,
    string?[] Metadata,
    byte[] Digest,
    TimeSpan Allowed,
    int? Rounds,
    TimeSpan Pause,
    short Priority,
    long? Sequence,
    bool Readds
)
{
    public const int MostFiles = 100_000;
    private const int LongestLabel = 512;
    private const int HighestPriority = 100;
    private static readonly TimeSpan _longest = TimeSpan.FromDays(30);
    private static readonly TimeSpan _longestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(2);

    /// <summary>The order, or what is wrong with the request.</summary>
    public static LoadOrder? Read(string name, LoadRequest request, out ProblemHttpResult? fault)
    {
        var wrong = FaultOf(name, request);
        fault = wrong is null ? null : Problem.Of(ProblemTypes.BadRequest, wrong);
        if (wrong is not null)
        {
            return null;
        }

        var labels = request.Files!.Keys.Order(StringComparer.Ordinal).ToArray();
        var keys = new FileKey[labels.Length];
        var metadata = new string?[labels.Length];
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < labels.Length; i++)
        {
            var label = labels[i];
            if (!FileKey.TryParse(request.Files[label] ?? "", out keys[i]))
            {
                fault = Problem.Of(
                    ProblemTypes.FileKeyMalformed,
                    $"The key of '{Problem.Quote(label)}' is '{Problem.Quote(request.Files[label] ?? "")}'; write 64 hex digits."
                );
                return null;
            }

            if (request.Metadata?.GetValueOrDefault(label) is { } described)
            {
                metadata[i] = JsonSerializer.Serialize(described, SparseJson.Default.FileRegistration);
                if ((fault = FaultOf(label, keys[i], described)) is not null)
                {
                    return null;
                }
            }

            digest.AppendData(Encoding.UTF8.GetBytes(label));
            digest.AppendData([0, .. keys[i].ToArray()]);
        }

        return new LoadOrder(
            name,
            labels,
            keys,
            metadata,
            digest.GetHashAndReset(),
            request.Deadline!.Value,
            request.Rounds,
            request.Pause ?? _pause,
            (short)(request.Priority ?? 0),
            request.Sequence,
            request.Readd ?? false
        );
    }

    private static string? FaultOf(string name, LoadRequest request) =>
        NodeId.FromText(name) is null ? $"'{Problem.Quote(name)}' is no name; write 1 to 64 letters, digits, '.', '_' or '-'."
        : request.Files is not { Count: > 0 and <= MostFiles } files
            ? $"files has {request.Files?.Count ?? 0} entries; write 1 to {MostFiles}, each a label with its file key."
        : files.Keys.FirstOrDefault(IsNoLabel) is { } label
            ? $"'{Problem.Quote(label)}' is no label; write 1 to {LongestLabel} characters without control characters."
        : request.Metadata?.Keys.FirstOrDefault(key => !files.ContainsKey(key)) is { } stray
            ? $"metadata has '{Problem.Quote(stray)}', and files has no such label."
        : request.Deadline is not { } deadline || deadline < TimeSpan.FromSeconds(1) || deadline > _longest
            ? $"deadline is {request.Deadline?.ToString() ?? "missing"}; write a time from 00:00:01 to {_longest:c}."
        : request.Rounds is < 1 ? $"rounds is {request.Rounds}; write 1 or more, or leave it out."
        : request.Pause is { } pause && (pause < TimeSpan.Zero || pause > _longestPause)
            ? $"pause is {pause}; write a time up to {_longestPause}."
        : request.Priority is < 0 or > HighestPriority ? $"priority is {request.Priority}; write 0 to {HighestPriority}."
        : null;

    private static bool IsNoLabel(string label) => label.Length is 0 or > LongestLabel || label.Any(char.IsControl);

    private static ProblemHttpResult? FaultOf(string label, FileKey key, FileRegistration described)
    {
        var (metadata, fault) = described.Read();
        if (metadata is null)
        {
            return Problem.Of(fault!.Type, $"The metadata of '{Problem.Quote(label)}': {fault.Detail}");
        }

        var computed = metadata.ComputeKey();
        return computed == key
            ? null
            : Problem.Of(
                ProblemTypes.KeyMismatch,
                $"The metadata of '{Problem.Quote(label)}' is that of {computed}, not of {key}.",
                ("key", key.ToString()),
                ("computedKey", computed.ToString())
            );
    }
}
