namespace FileTransfer.Downloads.Planning;

// What requests bring, and their end.
public sealed partial class DownloadPlanner
{
    private bool RequestAnswered(RequestId id)
    {
        if (_requests.TryGetValue(id, out var request))
        {
            MarkAnswered(request);
        }

        return false;
    }

    /// <summary>True when a window was completed by it.</summary>
    private bool ChunksCame(RequestId id, int chunks)
    {
        if (!_requests.TryGetValue(id, out var request))
        {
            return false;
        }

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

    private void RequestDone(RequestId id)
    {
        if (!_requests.TryGetValue(id, out var request))
        {
            return;
        }

        MarkAnswered(request);
        request.Source.State.Received(request, request.Count - request.Came, _now);
        request.Source.Progressed();
        Remove(request);
        var file = request.File;
        if (request.Part is FetchPart.Window or FetchPart.Whole)
        {
            request.Source.State.Absolve(file.Key, _now);
        }

        if (request.Window is { } window)
        {
            Prove(request, window, request.First, request.First + request.Count);
        }

        file.IsReproving |= request.Part is FetchPart.Hashes && !file.HashesProven;
        file.IsProven |= request.Part is FetchPart.Whole;
    }

    private void MarkAnswered(PlannedRequest request)
    {
        var source = request.Source.State;
        source.LastSign = _now;
        if (request.AnsweredAt is null)
        {
            request.AnsweredAt = _now;
            source.Answered(_now - request.StartedAt);
            source.Rate.BodyStarted(_now);
        }
    }

    /// <summary>Notes proven chunks; true when they complete the window. Who raced for it lost.</summary>
    private bool Prove(PlannedRequest request, WindowPlan window, long first, long end)
    {
        window.Open.Remove(first, end);
        if (!window.Open.IsEmpty || !request.File.Windows.Remove(window))
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
        Do(new PlannerAction.Cancel(request.Id, reason));
    }

    private void Remove(PlannedRequest request)
    {
        _requests.Remove(request.Id);
        request.File.InFlight.Remove(request);
        request.Source.InFlight--;
        var source = request.Source.State;
        _requestsAtSources -= source.Requests;
        source.Remove(request);
        _requestsAtSources += source.Requests;
        _connections -= source.InFlight.Count == 0 ? 1 : 0;
        if (request.AnsweredAt is not null)
        {
            source.Rate.BodyEnded(_now);
        }
    }

    /// <summary>What a request did not bring is to be asked for again, unless another brings it already.</summary>
    private static void Return(PlannedRequest request)
    {
        if (request.Window is { } window)
        {
            window.Requests.Remove(request);
            if (window.Requests.Count == 0 && !window.Open.IsEmpty)
            {
                request.File.Return(window);
            }
        }
    }
}
