namespace FileTransfer.Downloads.Planning;

// Whether sources answer.
public sealed partial class DownloadPlanner
{
    private static readonly TimeSpan _shortestBackoff = TimeSpan.FromMilliseconds(5);

    /// <summary>Probes under way for one file while another source serves it: enough to get to know all, not a burst at a full cluster.</summary>
    private const int ProbesBesideRequests = 4;

    /// <summary>Sources that deferred files wait for: one of the files, and until when that is worth probing.</summary>
    private readonly Dictionary<SourceId, (FileKey File, TimeSpan Until)> _awaited = [];

    /// <summary>After this the driver has forgotten the probe, or lost it.</summary>
    private TimeSpan ProbePatience(SourceState source) => 2 * source.Load.PatienceWith(_limits);

    private void ProbeAnswered(PlannerEvent.ProbeAnswered answered)
    {
        if (!_sources.TryGetValue(answered.Source, out var source))
        {
            return;
        }

        source.Load.Took(answered.After);
        source.LacksRanges = answered.HasRanges is { } hasRanges ? !hasRanges : source.LacksRanges;

        // A late answer is an answer all the same.
        if (source is { Condition: SourceCondition.Probing } or { Condition: SourceCondition.Unreachable, ProbesFailed: > 0 })
        {
            BecomeHealthy(source);
        }
    }

    private void ProbeFailed(SourceId id, string reason)
    {
        if (_sources.TryGetValue(id, out var source) && source.Condition == SourceCondition.Probing)
        {
            source.ProbeFailed(reason, _now + Backoff(source.ProbesFailed, _limits.LongestProbeBackoff), _now);
        }
    }

    private void SourceReadded(SourceId id)
    {
        if (!_sources.TryGetValue(id, out var source))
        {
            return;
        }

        source.Reset();
        foreach (var file in _files)
        {
            file.SourceOf(id)?.Reset();
        }
    }

    private void SourceRevoked(SourceId id)
    {
        foreach (var file in _files)
        {
            if (file.SourceOf(id) is { } source)
            {
                source.IsListed = false;
                CancelAll(file, source, $"{id} is not to be asked any more");
                ForgetUnlisted(file);
            }
        }
    }

    private void BecomeHealthy(SourceState source)
    {
        source.BecomeHealthy(_now);
        if (_awaited.Remove(source.Id))
        {
            Emit(new PlannerAction.Wake(source.Id));
        }
    }

    private void ProbeWhatIsDue()
    {
        foreach (var file in _files)
        {
            ProbeSourcesOf(file);
        }

        foreach (var (id, (file, until)) in _awaited)
        {
            var source = _sources[id];
            FailIfLate(source);
            if (until <= _now)
            {
                _awaited.Remove(id);
            }
            else if (source.IsDue(_now))
            {
                Probe(source, file);
            }
        }
    }

    private void ProbeSourcesOf(FilePlan file)
    {
        var (due, probing) = (0, 0);
        foreach (var source in file.Sources)
        {
            FailIfLate(source.State);
            due += source.IsCandidate && source.State.IsDue(_now) ? 1 : 0;
            probing += source.State.Condition == SourceCondition.Probing ? 1 : 0;
        }

        if (due == 0)
        {
            return;
        }

        var most = IsServed(file) ? ProbesBesideRequests : int.MaxValue;
        foreach (var source in file.Sources)
        {
            if (probing < most && source.IsCandidate && source.State.IsDue(_now))
            {
                Probe(source.State, file.Key);
                probing++;
            }
        }
    }

    private void FailIfLate(SourceState source)
    {
        var patience = ProbePatience(source);
        if (source.Condition == SourceCondition.Probing && source.ProbedAt + patience <= _now)
        {
            ProbeFailed(source.Id, $"{source.Id} did not answer within {patience.TotalSeconds:0.#} s");
        }
    }

    private void Probe(SourceState source, FileKey file)
    {
        if (source.Load.IsAnswering)
        {
            // Another body of it comes all the while.
            BecomeHealthy(source);
            return;
        }

        source.Probe(_now);
        Emit(new PlannerAction.Probe(source.Id, file, ProbePatience(source)));
    }
}
