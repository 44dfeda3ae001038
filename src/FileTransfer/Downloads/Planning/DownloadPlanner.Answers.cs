namespace FileTransfer.Downloads.Planning;

// What requests bring, and their end.
public sealed partial class DownloadPlanner
{
    /// <summary>True when something may be started or ended because of it.</summary>
    private bool Apply(PlannerEvent.OfRequest happened, PlannedRequest request)
    {
        switch (happened)
        {
            case PlannerEvent.ChunksProven came:
                return ChunksCame(request, came.Chunks);
            case PlannerEvent.RequestAnswered:
                MarkAnswered(request);
                return false;
            case PlannerEvent.RequestFailed failed:
                RequestFailed(request, failed);
                return true;
            default:
                RequestDone(request);
                return true;
        }
    }

    /// <summary>True when a window was completed by it.</summary>
    private bool ChunksCame(PlannedRequest request, int chunks)
    {
        MarkAnswered(request);
        var first = request.First + request.Came;
        var count = Math.Min(chunks, request.Count - request.Came);
        request.Source.State.Received(request, count, _now);
        request.Source.Progressed();
        if (request.Window is not { } window || !Prove(request, window, first, first + count))
        {
            return false;
        }

        if (request.Came < request.Count)
        {
            Cancel(request, "the rest is here already");
        }

        return true;
    }

    private void RequestDone(PlannedRequest request)
    {
        MarkAnswered(request);
        request.Source.State.Received(request, request.Count - request.Came, _now);
        request.Source.Progressed();
        Remove(request);
        var file = request.File;
        if (request.Part is FetchPart.Window or FetchPart.Whole)
        {
            request.Source.State.ClearStrikes(file.Key, _now);
        }

        if (request.Window is { } window)
        {
            Prove(request, window, request.First, request.First + request.Count);
        }

        file.IsRevalidating |= request.Part is FetchPart.Hashes && !file.HashesProven;
        file.IsProven |= request.Part is FetchPart.Whole;
    }

    private void MarkAnswered(PlannedRequest request)
    {
        var source = request.Source.State;
        source.LastSeen = _now;
        if (request.AnsweredAt is null)
        {
            request.AnsweredAt = _now;
            source.Load.Answered(_now - request.StartedAt);
            source.Load.Rate.BodyStarted(_now);
        }
    }

    /// <summary>Notes proven chunks; true when they complete the window. A hedged request for it is cancelled.</summary>
    private bool Prove(PlannedRequest request, WindowPlan window, long first, long end)
    {
        window.Outstanding.Remove(first, end);
        if (!window.Outstanding.IsEmpty || !request.File.Windows.Remove(window))
        {
            return false;
        }

        foreach (var other in window.Requests.ToArray())
        {
            if (other != request)
            {
                Cancel(other, $"{request.Source.State.Id} was faster");
            }
        }

        return true;
    }

    private void CancelAll(FilePlan file, string reason)
    {
        foreach (var request in file.InFlight.ToArray())
        {
            Cancel(request, reason);
        }
    }

    private void Cancel(PlannedRequest request, string reason)
    {
        Remove(request);
        Return(request);
        Emit(new PlannerAction.Cancel(request.Id, reason));
    }

    private void Remove(PlannedRequest request)
    {
        _requests.Remove(request.Id);
        request.File.InFlight.Remove(request);
        request.Source.InFlight--;
        var load = request.Source.State.Load;
        _requestsAtSources -= load.Requests;
        load.Remove(request);
        _requestsAtSources += load.Requests;
        _connections -= load.InFlight.Count == 0 ? 1 : 0;
        if (request.AnsweredAt is not null)
        {
            load.Rate.BodyEnded(_now);
        }
    }

    /// <summary>What a request did not bring is to be asked for again, unless another brings it already.</summary>
    private static void Return(PlannedRequest request)
    {
        if (request.Window is { } window)
        {
            window.Requests.Remove(request);
            if (window.Requests.Count == 0 && !window.Outstanding.IsEmpty)
            {
                request.File.Return(window);
            }
        }
    }
}
