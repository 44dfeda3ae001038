using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Progress;

/// <summary>What a source last said when it was asked for a file.</summary>
/// <param name="Outcome">In words.</param>
/// <param name="Times">How often it said so in a row.</param>
public sealed record SourceTrial(string Source, string Outcome, DateTimeOffset At, int Times);

/// <summary>A request to a source has failed.</summary>
/// <param name="WastedBytes">What came of it and could not be used.</param>
public sealed record FailedRequest(FileKey File, string Source, SourceFaultKind Kind, string Reason, long WastedBytes);

/// <summary>What each source came to for each file, to explain why a file is not here.</summary>
/// <remarks>
/// Bounded: the <see cref="MaxFiles"/> files that were recorded last, <see cref="MaxSources"/> sources each, words cut at
/// <see cref="MaxWords"/> characters.
/// </remarks>
public sealed class SourceAttemptHistory(TimeProvider time)
{
    internal const int MaxFiles = 2048;
    internal const int MaxSources = 16;
    internal const int MaxWords = 500;

    private readonly Lock _gate = new();
    private readonly Dictionary<FileKey, LinkedListNode<Entry>> _files = [];
    private readonly LinkedList<Entry> _byAge = [];

    /// <summary>Told of every request that fails. Whoever hears it takes no time.</summary>
    public event Action<FailedRequest>? Failed;

    public void Record(FailedRequest failed)
    {
        Record(failed.File, failed.Source, failed.Reason);
        Failed?.Invoke(failed);
    }

    public void Record(FileKey file, string source, string outcome)
    {
        var words = outcome.Length <= MaxWords ? outcome : outcome[..MaxWords] + "…";
        lock (_gate)
        {
            var entries = Touch(file).Trials;
            var at = entries.FindIndex(trial => trial.Source == source);
            var times = at >= 0 && entries[at].Outcome == words ? entries[at].Times + 1 : 1;
            if (at >= 0)
            {
                entries.RemoveAt(at);
            }
            else if (entries.Count == MaxSources)
            {
                entries.RemoveAt(0);
            }

            entries.Add(new SourceTrial(source, words, time.GetUtcNow(), times));
        }
    }

    /// <summary>What the sources of the file last said, the latest at the end.</summary>
    public IReadOnlyList<SourceTrial> Of(FileKey file)
    {
        lock (_gate)
        {
            return _files.TryGetValue(file, out var node) ? [.. node.Value.Trials] : [];
        }
    }

    /// <summary>The file is here, or not wanted any more.</summary>
    public void Forget(FileKey file)
    {
        lock (_gate)
        {
            if (_files.Remove(file, out var node))
            {
                _byAge.Remove(node);
            }
        }
    }

    private Entry Touch(FileKey file)
    {
        if (_files.TryGetValue(file, out var node))
        {
            _byAge.Remove(node);
        }
        else
        {
            if (_files.Count == MaxFiles)
            {
                _files.Remove(_byAge.First!.Value.File);
                _byAge.RemoveFirst();
            }

            node = new LinkedListNode<Entry>(new Entry(file, []));
            _files.Add(file, node);
        }

        _byAge.AddLast(node);
        return node.Value;
    }

    private sealed record Entry(FileKey File, List<SourceTrial> Trials);
}
