using FileTransfer.Downloads.Planning;

namespace FileTransfer.Tests.Downloads.Planning;

/// <summary>One random step; what the numbers mean depends on the state of the world it is done in.</summary>
public readonly record struct Move(int Kind, int A, int B, int C);

/// <summary>
/// A world around a planner: files on a disk, sources that answer, fail and lie, and a clock. It turns random moves into events that may
/// happen, and checks every action against what it knows itself.
/// </summary>
internal sealed partial class PlannerWorld
{
    private static readonly SourceHint[] _hints =
    [
        PlannerDriver.Node("a"),
        PlannerDriver.Node("b"),
        PlannerDriver.Node("c"),
        PlannerDriver.Leader("l"),
        PlannerDriver.Share("s"),
        PlannerDriver.Stream("t"),
        PlannerDriver.Partial("p"),
        PlannerDriver.Partial("q"),
    ];

    private readonly DownloadPlanner _planner;
    private readonly List<WorldFile> _files = [];
    private readonly Dictionary<SourceId, WorldSource> _sources = [];
    private readonly Dictionary<RequestId, WorldRequest> _requests = [];
    private readonly List<RequestId> _gone = [];
    private PlannerLimits _limits = new()
    {
        WindowChunks = 8,
        LongWindowChunks = 20,
        LongWindowTime = TimeSpan.FromSeconds(5),
        HashChunks = 60,
        Requests = 9,
        RequestsPerSource = 3,
        Connections = 4,
    };
    private TimeSpan _now = TimeSpan.FromSeconds(1000);
    private long _lastRequest;

    public PlannerWorld(int seed)
    {
        _planner = new DownloadPlanner(_limits, new Random(seed));
        foreach (var hint in _hints)
        {
            _sources.Add(hint.Id, new WorldSource());
        }

        foreach (var chunks in new[] { 0, 1, 5, 8, 9, 64, 200 })
        {
            _files.Add(new WorldFile(PlannerDriver.Key(chunks + 1), chunks));
        }
    }

    public void Do(Move move)
    {
        var file = _files[move.A % _files.Count];
        switch (move.Kind % 32)
        {
            case <= 3:
                Want(file, move.B, move.C);
                break;
            case 4:
                Drop(file);
                break;
            case 5:
                ChangeSources(file, move.B, move.C);
                break;
            case <= 8:
                EndProbe(move);
                break;
            case <= 11:
                WithRequest(move.A, Answer);
                break;
            case <= 16:
                WithRequest(move.A, request => Bring(request, 1 + (move.B % 8)));
                break;
            case <= 20:
                WithRequest(move.A, End);
                break;
            case <= 23:
                WithRequest(move.A, request => Fail(request, (SourceFaultKind)(move.B % 10), move.C));
                break;
            case 24:
                Readd(_hints[move.A % _hints.Length].Id);
                break;
            case 25:
                ChangeLimits(move);
                break;
            case 26:
                TellTooLate(move);
                break;
            case 27 when move.B % 4 == 0:
                RefuteHashes(file);
                break;
            case 27:
                VerifyHashes(file);
                break;
            case 30:
                Part(file, move);
                break;
            case 31:
                Revoke(_hints[move.A % _hints.Length].Id);
                break;
            case 28:
                Pass(TimeSpan.FromMilliseconds(move.A * 20));
                break;
            default:
                Pass(TimeSpan.FromMilliseconds(move.A % 40));
                break;
        }
    }

    private void Want(WorldFile file, int sources, int how)
    {
        if (file.IsWanted)
        {
            return;
        }

        file.CompetingNodes = how % 3 == 0 ? how % 10 : 0;
        file.Want(Subset(sources), _now, how % 16 == 0 ? _now + TimeSpan.FromSeconds(how % 7) : null);
        Tell(
            new PlannerEvent.FileWanted(
                file.Key,
                file.ChunkCount,
                file.Missing(),
                file.HashesProven,
                file.Sources,
                file.CompetingNodes,
                file.Deadline
            )
        );
    }

    private void Drop(WorldFile file)
    {
        if (file.IsWanted)
        {
            file.IsWanted = false;
            Tell(new PlannerEvent.FileDropped(file.Key));
            _requests.Values.ShouldNotContain(request => request.File == file);
        }
    }

    private void ChangeSources(WorldFile file, int sources, int competingNodes)
    {
        if (file.IsWanted)
        {
            var now = Subset(sources);
            foreach (var gone in file.Parts.Keys.Where(id => !now.Exists(hint => hint.Id == id)).ToList())
            {
                file.Parts.Remove(gone);
                Tell(new PlannerEvent.PartsEnded(gone, file.Key));
            }

            if (file.IsWanted)
            {
                file.CompetingNodes = competingNodes % 4;
                file.ChangeSources(now, _now);
                Tell(new PlannerEvent.SourcesChanged(file.Key, file.Sources, file.CompetingNodes));
            }
        }
    }

    /// <summary>A source that downloads a file too says something of it.</summary>
    private void Part(WorldFile file, Move move)
    {
        var partial = file.Sources.FindAll(hint => hint.IsPartial);
        if (!file.IsWanted || partial.Count == 0)
        {
            return;
        }

        var id = partial[move.B % partial.Count].Id;
        file.ChangedAt = _now;
        if (!file.Parts.TryGetValue(id, out var parts))
        {
            file.Parts[id] = [];
            _sources[id].HasEverAnswered = true;
            Tell(new PlannerEvent.PartsBegun(id, file.Key));
        }
        else if (move.C % 8 == 0)
        {
            file.Parts.Remove(id);
            Tell(new PlannerEvent.PartsEnded(id, file.Key));
        }
        else
        {
            var window = move.B % Math.Max(1, (file.ChunkCount + _limits.WindowChunks - 1) / _limits.WindowChunks);
            parts[window] = (PartState)(move.C % 3);
            Tell(new PlannerEvent.PartChanged(id, file.Key, window, parts[window]));
        }
    }

    private static bool IsShared(WorldFile file) => file.Sources.Exists(hint => hint.IsPartial);

    private void EndProbe(Move move)
    {
        var probing = _hints.Where(hint => _sources[hint.Id].IsProbed).ToList();
        if (probing.Count > 0)
        {
            var id = probing[move.A % probing.Count].Id;
            EndProbe(id, isAnswered: move.B % 3 > 0);
        }
    }

    private void EndProbe(SourceId id, bool isAnswered)
    {
        var took = _now - _sources[id].ProbedAt;
        _sources[id].IsProbed = false;
        _sources[id].HasEverAnswered |= isAnswered;
        Tell(
            isAnswered
                ? new PlannerEvent.ProbeAnswered(id, took)
                : new PlannerEvent.ProbeFailed(id, $"{id} refused the connection")
        );
    }

    private void Answer(WorldRequest request)
    {
        request.IsAnswered = true;
        Tell(new PlannerEvent.RequestAnswered(request.Id));
    }

    private void Bring(WorldRequest request, int chunks)
    {
        var count = Math.Min(chunks, request.Chunks.Count - request.Came);
        if (count > 0)
        {
            request.Bring(count);
            Tell(new PlannerEvent.ChunksProven(request.Id, count));
        }
    }

    private void End(WorldRequest request)
    {
        request.End();
        _requests.Remove(request.Id);
        Tell(new PlannerEvent.RequestDone(request.Id));
    }

    private void Fail(WorldRequest request, SourceFaultKind kind, int how)
    {
        _requests.Remove(request.Id);
        var file = request.File;
        var source = _sources[request.Source];
        file.WasAsked = true;
        file.ChangedAt = _now;
        TimeSpan? retryAfter = how % 4 == 0 ? null : TimeSpan.FromMilliseconds(how * 10);
        switch (kind)
        {
            case SourceFaultKind.Corrupt
            or SourceFaultKind.NotFound when request.IsOfHashes && KindOf(request.Source) == SourceKind.Share:
                file.HashesLackAt.Add(request.Source);
                break;
            case SourceFaultKind.NotFound or SourceFaultKind.EndedEarly or SourceFaultKind.Stalled when IsPartial(request.Source):
                if (!request.IsOfHashes && file.Parts.TryGetValue(request.Source, out var parts))
                {
                    parts[(int)(request.Chunks.First / _limits.WindowChunks)] = PartState.Missing;
                }

                break;
            case SourceFaultKind.Corrupt:
                file.LiedAt.Add(request.Source);
                _blameDue = (request.Source, file.Key);
                break;
            case SourceFaultKind.NotFound:
                file.NotFoundAt.Add(request.Source);
                break;
            case SourceFaultKind.NoRanges when request.IsRange && KindOf(request.Source) == SourceKind.Share:
                source.LacksRanges = true;
                break;
            case SourceFaultKind.Throttled when retryAfter is { } wait:
                source.PausedUntil = Later(source.PausedUntil, _now + wait);
                break;
            case SourceFaultKind.Busy:
                // Where a file is shared, so many ask the leader that it is not asked again as soon as it says.
                var free = _now + (retryAfter ?? _limits.PermitWait);
                file.Busy(request.Source, IsShared(file) ? Later(free, _now + _limits.PermitWait) : free, IsShared(file));
                break;
            case SourceFaultKind.Local:
                file.HasLocalFault = true;
                break;
        }

        Tell(new PlannerEvent.RequestFailed(request.Id, kind, $"{request.Source} failed: {kind}", retryAfter));
        _blameDue.ShouldBeNull("a lie is blamed");
    }

    private static bool IsPartial(SourceId id) => _hints.First(hint => hint.Id == id).IsPartial;

    private static SourceKind KindOf(SourceId id) => _hints.First(hint => hint.Id == id).Kind;

    private void Readd(SourceId id)
    {
        _sources[id].PausedUntil = default;
        _sources[id].LacksRanges = false;
        foreach (var file in _files)
        {
            file.NotFoundAt.Remove(id);
            file.LiedAt.Remove(id);
        }

        Tell(new PlannerEvent.SourceReadded(id));
    }

    private void Revoke(SourceId id)
    {
        foreach (var file in _files.Where(file => file.IsWanted))
        {
            file.Parts.Remove(id);
            file.ChangeSources([.. file.Sources.Where(hint => hint.Id != id)], _now);
        }

        Tell(new PlannerEvent.SourceRevoked(id));
        _requests.Values.ShouldNotContain(request => request.Source == id, "a revoked source is asked for nothing more");
    }

    private void ChangeLimits(Move move)
    {
        _limits = _limits with
        {
            Requests = 1 + (move.A % 12),
            RequestsPerSource = 1 + (move.B % 4),
            Connections = 1 + (move.C % 6),
        };
        Tell(new PlannerEvent.LimitsChanged(_limits));
    }

    private void TellTooLate(Move move)
    {
        var hint = _hints[move.C % _hints.Length];
        if (!_sources[hint.Id].IsProbed)
        {
            EndProbe(hint.Id, isAnswered: true);
        }

        if (_gone.Count > 0)
        {
            var id = _gone[move.A % _gone.Count];
            Tell(
                (move.B % 4) switch
                {
                    0 => new PlannerEvent.ChunksProven(id, 1),
                    1 => new PlannerEvent.RequestDone(id),
                    2 => new PlannerEvent.RequestFailed(id, SourceFaultKind.Corrupt, "too late"),
                    _ => new PlannerEvent.HashesKnown(PlannerDriver.Key(999), []),
                }
            );
        }
    }

    private void VerifyHashes(WorldFile file)
    {
        if (file is { IsWanted: true, IsRevalidating: true })
        {
            file.VerifyHashes();
            file.ChangedAt = _now;
            Tell(new PlannerEvent.HashesKnown(file.Key, file.Missing()));
        }
    }

    private void RefuteHashes(WorldFile file)
    {
        if (file is { IsWanted: true, IsRevalidating: true, HashesCameInRanges: true })
        {
            file.RefuteHashes();
            file.ChangedAt = _now;
            Tell(new PlannerEvent.HashesInvalid(file.Key));
        }
    }

    private void Pass(TimeSpan duration)
    {
        var end = _now + duration;
        for (var ticks = 0; _planner.NextTick is { } tick && tick <= end; ticks++)
        {
            ticks.ShouldBeLessThan(100_000, "time goes on");
            tick.ShouldBeGreaterThan(_now);
            _now = tick;
            Tell(PlannerEvent.Tick.Instance);
        }

        _now = end;
    }

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private void WithRequest(int which, Action<WorldRequest> act)
    {
        if (_requests.Count > 0)
        {
            act(_requests.Values.ElementAt(which % _requests.Count));
        }
    }

    private static List<SourceHint> Subset(int bits) => [.. _hints.Where((_, index) => (bits & (1 << index)) != 0)];

    private void Tell(PlannerEvent happened)
    {
        foreach (var action in _planner.Handle(happened, _now))
        {
            Check(action);
        }

        _planner.CheckInvariants();
        CheckFiles();
    }
}
