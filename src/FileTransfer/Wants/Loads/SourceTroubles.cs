using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;

namespace FileTransfer.Wants.Loads;

/// <summary>What went wrong with a source for a file.</summary>
internal sealed record SourceTroubles(FileKey File, string Source, int Faults, int Corrupt, long WastedBytes, string Reason);

/// <summary>Gathers what goes wrong with sources, until it is written down for the loads that it concerns.</summary>
/// <remarks>Bounded: of more than <see cref="Most"/> files and sources at once the others are passed over.</remarks>
internal sealed class TroubleCollector : IDisposable
{
    private const int Most = 16 * 1024;

    private readonly SourceAttemptHistory _history;
    private ConcurrentDictionary<(FileKey, string), SourceTroubles> _heard = new();

    public TroubleCollector(SourceAttemptHistory history)
    {
        _history = history;
        _history.Failed += Add;
    }

    /// <summary>What was heard since it was asked last.</summary>
    public IReadOnlyCollection<SourceTroubles> Take() =>
        _heard.IsEmpty ? [] : Interlocked.Exchange(ref _heard, new()).Values.ToArray();

    public void Dispose() => _history.Failed -= Add;

    private void Add(FailedRequest failed)
    {
        var heard = _heard;
        if (heard.Count < Most)
        {
            var corrupt = failed.Kind == SourceFaultKind.Corrupt ? 1 : 0;
            heard.AddOrUpdate(
                (failed.File, failed.Source),
                new SourceTroubles(failed.File, failed.Source, 1, corrupt, failed.WastedBytes, failed.Reason),
                (_, before) =>
                    before with
                    {
                        Faults = before.Faults + 1,
                        Corrupt = before.Corrupt + corrupt,
                        WastedBytes = before.WastedBytes + failed.WastedBytes,
                        Reason = corrupt > 0 || before.Corrupt == 0 ? failed.Reason : before.Reason,
                    }
            );
        }
    }
}
