using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Downloads.Planning;

// What no action may do, and no file may suffer.
internal sealed partial class PlannerWorld
{
    private (SourceId Source, FileKey File)? _blameDue;

    private void Check(PlannerAction action)
    {
        switch (action)
        {
            case PlannerAction.Fetch fetch:
                CheckFetch(fetch);
                break;
            case PlannerAction.Cancel cancel:
                _requests.Remove(cancel.Request).ShouldBeTrue("what is cancelled is in flight");
                _gone.Add(cancel.Request);
                cancel.Reason.ShouldNotBeNullOrWhiteSpace();
                break;
            case PlannerAction.Probe probe:
                CheckProbe(probe);
                break;
            case PlannerAction.Finish finish:
                var finished = Leaving(finish.File);
                finished.IsComplete.ShouldBeTrue("a finished file is all here");
                finished.Finish();
                break;
            case PlannerAction.ProveHashes prove:
                var proving = Wanted(prove.File);
                _requests.Values.ShouldNotContain(request => request.File == proving, "all hashes are here");
                proving.HashesProven.ShouldBeFalse();
                proving.IsRevalidating = true;
                proving.HashesCameInRanges = true;
                break;
            case PlannerAction.Defer defer:
                CheckDefer(defer);
                break;
            case PlannerAction.GiveUp giveUp:
                CheckGiveUp(giveUp);
                break;
            case PlannerAction.ReportCorruption blame:
                _blameDue.ShouldBe((blame.Source, blame.File), "who is blamed lied");
                _blameDue = null;
                break;
            case PlannerAction.Demote demote:
                demote.Files.ShouldBeGreaterThanOrEqualTo(_limits.FilesThatDemote);
                demote.For.ShouldBeLessThanOrEqualTo(_limits.LongestDemotion);
                break;
            case PlannerAction.Wake wake:
                _sources[wake.Source].IsAwaited.ShouldBeTrue("someone waits for who is told to wake");
                _sources[wake.Source].IsAwaited = false;
                break;
        }
    }

    private void CheckFetch(PlannerAction.Fetch fetch)
    {
        var file = Wanted(fetch.File);
        var source = _sources[fetch.Source];
        fetch.Request.Value.ShouldBeGreaterThan(_lastRequest);
        _lastRequest = fetch.Request.Value;
        file.Sources.ShouldContain(hint => hint.Id == fetch.Source, "only who is said to have it is asked");
        file.NotFoundAt.ShouldNotContain(fetch.Source, "who does not have it is not asked again");
        file.BusyUntil.GetValueOrDefault(fetch.Source).ShouldBeLessThanOrEqualTo(_now, "who is busy is not asked");
        source.HasEverAnswered.ShouldBeTrue("who never answered a probe is not asked");
        file.LiedAt.ShouldNotContain(fetch.Source, "who lied about a file is not asked for it again in the same attempt");
        source.PausedUntil.ShouldBeLessThanOrEqualTo(_now, "who wants to be left alone is");
        file.WasAsked = true;
        if (IsPartial(fetch.Source))
        {
            CheckPartial(fetch, file.Parts.GetValueOrDefault(fetch.Source).ShouldNotBeNull("it has said what it has"));
        }

        var atSource = _requests.Values.Where(request => request.Source == fetch.Source).ToList();
        _requests.Values.GroupBy(request => request.Source).Sum(RequestsOf).ShouldBeLessThan(_limits.Requests);
        RequestsOf([.. atSource, new WorldRequest(fetch, file)]).ShouldBeLessThanOrEqualTo(_limits.RequestsPerSource);
        atSource.Count(request => request.File == file).ShouldBeLessThan(_limits.RequestsPerFileAndSource);
        if (atSource.Count == 0)
        {
            _requests.Values.DistinctBy(request => request.Source).Count().ShouldBeLessThan(_limits.Connections);
        }

        var others = _requests.Values.Where(request => request.File == file).ToList();
        var kind = file.Sources.Find(hint => hint.Id == fetch.Source).Kind;
        var request = new WorldRequest(fetch, file);
        switch (fetch.Part)
        {
            case FetchPart.Window(var chunks):
                file.HashesProven.ShouldBeTrue("windows are asked for when their hashes are proven");
                kind.ShouldNotBe(SourceKind.Stream);
                chunks.Count.ShouldBeInRange(1, _limits.LongWindowChunks);
                file.Proven.AsSpan((int)chunks.First, chunks.Count)
                    .Contains(true)
                    .ShouldBeFalse("what is proven is not asked for");
                others.Count(other => other.Overlaps(chunks)).ShouldBeLessThanOrEqualTo(1, "at most two race");
                break;
            case FetchPart.Hashes:
                file.HashesProven.ShouldBeFalse();
                kind.ShouldNotBe(SourceKind.Stream);
                others.ShouldBeEmpty();
                break;
            case FetchPart.HashRange(var hashes):
                file.HashesProven.ShouldBeFalse();
                file.IsRevalidating.ShouldBeFalse();
                file.HashesWereRefuted.ShouldBeFalse("what was wrong in ranges comes from one source");
                kind.ShouldNotBe(SourceKind.Stream);
                hashes.Count.ShouldBeInRange(1, _limits.HashChunks);
                others.ShouldAllBe(other => other.IsHashRange);
                others.Count(other => other.Overlaps(hashes)).ShouldBeLessThanOrEqualTo(1, "at most two race");
                break;
            case FetchPart.Whole:
                (
                    kind == SourceKind.Stream
                    || _sources[fetch.Source].LacksRanges
                    || (
                        !file.HashesProven
                        && (file.ChunkCount <= _limits.WindowChunks || file.HashesLackAt.Contains(fetch.Source))
                    )
                ).ShouldBeTrue();
                others.ShouldBeEmpty();
                break;
        }

        _requests.Add(fetch.Request, request);
    }

    /// <summary>Who downloads a file too is asked for what it has, or is about to have.</summary>
    private void CheckPartial(PlannerAction.Fetch fetch, Dictionary<int, PartState> parts)
    {
        if (fetch.Part is FetchPart.Window(var chunks))
        {
            parts.GetValueOrDefault((int)chunks.First / _limits.WindowChunks).ShouldNotBe(PartState.Missing);
            ((chunks.End - 1) / _limits.WindowChunks).ShouldBe(chunks.First / _limits.WindowChunks, "it has whole windows");
        }
    }

    /// <summary>How many requests a source sees: it delivers small contents together.</summary>
    private static int RequestsOf(IEnumerable<WorldRequest> requests)
    {
        var alone = 0;
        var shares = 0;
        foreach (var request in requests)
        {
            alone += request.DeliveryShare == 0 ? 1 : 0;
            shares += request.DeliveryShare;
        }

        return alone + (int)Math.Ceiling((double)shares / BatchWeight.All);
    }

    private void CheckProbe(PlannerAction.Probe probe)
    {
        var source = _sources[probe.Source];
        (!source.IsProbed || _now - source.ProbedAt >= 2 * _limits.AnswerPatience).ShouldBeTrue("one probe at a time");
        source.IsProbed = true;
        source.ProbedAt = _now;
    }

    private void CheckDefer(PlannerAction.Defer defer)
    {
        var file = Leaving(defer.File);
        defer.Reason.ShouldNotBeNullOrWhiteSpace();
        defer.RetryIn.ShouldBeInRange(TimeSpan.FromMilliseconds(10), _limits.LongestRetryAfter + TimeSpan.FromSeconds(100));
        switch (defer.Kind)
        {
            case WaitCondition.Provider:
                file.Sources.ShouldAllBe(hint => file.NotFoundAt.Contains(hint.Id) || hint.IsPartial);
                break;
            case WaitCondition.Permit:
                (file.LastBusyUntil > _now || IsShared(file) || file.Parts.Count > 0).ShouldBeTrue("somebody serves others");
                break;
            case WaitCondition.Source:
                foreach (var hint in file.Sources)
                {
                    _sources[hint.Id].IsAwaited = true;
                }

                break;
        }
    }

    private void CheckGiveUp(PlannerAction.GiveUp giveUp)
    {
        var file = Leaving(giveUp.File);
        giveUp.Reason.ShouldNotBeNullOrWhiteSpace();
        giveUp.HasAsked.ShouldBe(file.WasAsked, "an attempt in which nobody was asked is none");
        (giveUp.RetryIn is null || giveUp.RetryIn <= _limits.LongestStrikeBackoff).ShouldBeTrue(
            "blame is no reason to wait for ever"
        );
        (
            file.HasLocalFault || file.Deadline <= _now || file.Sources.Exists(hint => !file.NotFoundAt.Contains(hint.Id))
        ).ShouldBeTrue("a file is given up for something that was done to it");
        file.HasLocalFault = false;
    }

    private void CheckFiles()
    {
        var healthy = _planner
            .Diagnostics(_now)
            .Where(source => source.Condition == SourceCondition.Healthy)
            .Select(source => source.Id)
            .ToHashSet();
        foreach (var file in _files.Where(file => file.IsWanted))
        {
            file.HasLocalFault.ShouldBeFalse("a fault of this node ends the attempt");
            var wasServed = file.IsServed;
            file.IsServed =
                file.IsRevalidating
                || _requests.Values.Any(request => request.File == file)
                || file.Sources.Exists(hint => healthy.Contains(hint.Id));
            file.ChangedAt = wasServed || file.IsServed ? _now : file.ChangedAt;
            (_now - file.ChangedAt).ShouldBeLessThanOrEqualTo(
                IsShared(file) ? _limits.SharedPatience : 2 * _limits.LanePatience,
                "a lane does not wait for sources that are away"
            );
        }
    }

    private WorldFile Wanted(FileKey key) =>
        _files.Find(file => file.Key == key && file.IsWanted).ShouldNotBeNull("it is wanted");

    private WorldFile Leaving(FileKey key)
    {
        var file = Wanted(key);
        _requests.Values.ShouldNotContain(request => request.File == file, "what leaves has nothing in flight");
        file.IsWanted = false;
        file.IsRevalidating = false;
        return file;
    }
}
