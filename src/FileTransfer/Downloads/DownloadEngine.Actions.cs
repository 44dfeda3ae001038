using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <content>What happened goes to the planner; what it answers is begun.</content>
public sealed partial class DownloadEngine
{
    private void Tell(params ReadOnlySpan<PlannerEvent> events)
    {
        lock (_gate)
        {
            foreach (var happened in events)
            {
                foreach (var action in _planner.Handle(happened, Now))
                {
                    CarryOut(action);
                }
            }

            if (!_stopped.IsCancellationRequested && _planner.NextTick is { } due)
            {
                var left = due - Now;
                _timer ??= time.CreateTimer(
                    _ => Tell(PlannerEvent.Tick.Instance),
                    null,
                    Timeout.InfiniteTimeSpan,
                    Timeout.InfiniteTimeSpan
                );
                _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void CarryOut(PlannerAction action)
    {
        switch (action)
        {
            case PlannerAction.Fetch fetch:
                Begin(fetch);
                break;
            case PlannerAction.Cancel cancel:
                // Not here: what runs when it is cancelled may want to report to the planner.
                _ = _requests.GetValueOrDefault(cancel.Request)?.CancelAsync();
                break;
            case PlannerAction.ProveHashes prove:
                Prove(prove);
                break;
            case PlannerAction.Probe probe:
                _ = Task.Run(() => ProbeAsync(probe));
                break;
            case PlannerAction.Ended end:
                _attempts[end.File].End(end, _wakes);
                break;
            case PlannerAction.ReportCorruption corrupt:
                Log.Corrupt(logger, corrupt.Source.Value, corrupt.File, corrupt.Reason);
                break;
            case PlannerAction.Demote demote:
                Log.Demoted(logger, demote.Source.Value, demote.For.TotalSeconds, demote.Files, demote.Reason);
                break;
            case PlannerAction.Wake wake:
                Log.Answers(logger, wake.Source.Value);
                Interlocked.Increment(ref _wakes);
                failed.RetrySoon();
                SourceAnswers.Set();
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1610, LogLevel.Warning, "Source {Source} sent wrong bytes of {FileKey}: {Reason}")]
        public static partial void Corrupt(ILogger logger, string source, FileKey fileKey, string reason);

        [LoggerMessage(1611, LogLevel.Information, "Source {Source} answers again; retrying the files that wait for it")]
        public static partial void Answers(ILogger logger, string source);

        [LoggerMessage(
            1612,
            LogLevel.Warning,
            "Source {Source} is used only as a last resort for {Seconds:0} s: it sent wrong bytes for {Files} files, most recently: {Reason}"
        )]
        public static partial void Demoted(ILogger logger, string source, double seconds, int files, string reason);

        [LoggerMessage(
            1613,
            LogLevel.Information,
            "Could not report to source {Source} that its copy of {FileKey} is damaged: {Reason}"
        )]
        public static partial void DamageNotReported(ILogger logger, FileKey fileKey, string source, string reason);

        [LoggerMessage(1614, LogLevel.Error, "A request to source {Source} for {FileKey} failed because of a fault on this node")]
        public static partial void Fault(ILogger logger, FileKey fileKey, string source, Exception fault);
    }
}
