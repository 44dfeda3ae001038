using System.Diagnostics;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Sources;

namespace FileTransfer.Downloads;

/// <content>Probes: no lane waits for them, and no file need be under way.</content>
public sealed partial class DownloadEngine
{
    private async Task ProbeAsync(PlannerAction.Probe probe)
    {
        // It is nobody's download.
        Activity.Current = null;
        try
        {
            if (sources.Find(probe.Source) is not { } source)
            {
                Tell(new PlannerEvent.ProbeFailed(probe.Source, $"{probe.Source} is not a known source"));
                return;
            }

            // One probe of each source is let wait, though the planner does not wait for it: who is slow and right is found out by it.
            var isPatient = _patientProbes.TryAdd(probe.Source, true);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopped.Token);
            patience.CancelAfter(isPatient ? limits.Planner.LongestAnswerPatience : probe.Patience);
            try
            {
                var from = Now;
                var located = await LocateAsync(source, patience.Token);
                var hasRanges = await located.ProbeAsync(probe.File, isPatient, patience.Token);
                Tell(new PlannerEvent.ProbeAnswered(probe.Source, Now - from, hasRanges));
            }
            catch (OperationCanceledException) when (!_stopped.IsCancellationRequested)
            {
                throw source.Fault(SourceFaultKind.Stalled, "does not answer");
            }
            finally
            {
                if (isPatient)
                {
                    _patientProbes.TryRemove(probe.Source, out _);
                }
            }
        }
        catch (SourceException fault)
        {
            history.Record(probe.File, probe.Source.Value, fault.Message);
            Tell(new PlannerEvent.ProbeFailed(probe.Source, fault.Message));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        catch (Exception fault)
        {
            Log.Fault(logger, probe.File, probe.Source.Value, fault);
            Tell(new PlannerEvent.ProbeFailed(probe.Source, fault.Message));
        }
    }

    /// <summary>A node that did not answer may have come back under another address; nobody who waits for it asks the catalog.</summary>
    private async Task<Source> LocateAsync(Source source, CancellationToken cancellationToken)
    {
        if (source is not NodeSource { Provider: var known, IsFresh: false, IsOutside: false })
        {
            return source;
        }

        try
        {
            if (
                await nodes.AddressOfAsync(known.Node, cancellationToken) is var (url, instance)
                && sources.Upsert(known with { Url = url, Instance = instance })
            )
            {
                Tell(new PlannerEvent.SourceReadded(source.Id));
            }
        }
        catch (Exception outage) when (DatabaseReach.IsFailure(outage))
        {
            // The last known address will do.
        }

        return sources.Find(source.Id) ?? source;
    }
}
