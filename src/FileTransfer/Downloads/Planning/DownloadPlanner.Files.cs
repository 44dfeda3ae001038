namespace FileTransfer.Downloads.Planning;

// Files come and go.
public sealed partial class DownloadPlanner
{
    private const int SourcesRemembered = 1024;

    private void FileWanted(PlannerEvent.FileWanted wanted)
    {
        var file = new FilePlan(wanted, _limits.WindowChunks);
        if (!_fileOf.TryAdd(file.Key, file))
        {
            throw new InvalidOperationException($"The file {file.Key} is wanted already.");
        }

        // A newcomer does not make up for what the others had before it came.
        file.BytesServed = _files.Count == 0 ? 0 : _files.Min(other => other.BytesServed);
        _files.Add(file);
        UpdateSources(file, wanted.Sources);
    }

    private void SourcesChanged(PlannerEvent.SourcesChanged changed)
    {
        if (_fileOf.TryGetValue(changed.File, out var file))
        {
            file.CompetingNodes = changed.CompetingNodes;
            UpdateSources(file, changed.Sources);
        }
    }

    private void HashesKnown(PlannerEvent.HashesKnown known)
    {
        if (_fileOf.TryGetValue(known.File, out var file) && !file.HashesProven)
        {
            CancelAll(file, "its hashes are here");
            file.HashesKnown(known.Missing);
        }
    }

    private void HashesInvalid(FileKey key)
    {
        if (_fileOf.TryGetValue(key, out var file) && file is { HashesProven: false, IsRevalidating: true })
        {
            file.HashesInvalid();
        }
    }

    /// <summary>Hashes that came in ranges count when all of them have been proven together.</summary>
    private void ProveHashesThatAreHere()
    {
        foreach (var file in _files)
        {
            if (TakesHashesInRanges(file) && file is { IsRevalidating: false, HasNothingLeft: true, InFlight.Count: 0 })
            {
                file.IsRevalidating = true;
                Emit(new PlannerAction.ProveHashes(file.Key));
            }
        }
    }

    private bool TakesHashesInRanges(FilePlan file) =>
        file is { HashesProven: false, HasInvalidHashes: false, IsProven: false }
        && file.ChunkCount > _limits.HashChunks
        && !IsSmall(file);

    private void FileDropped(FileKey key)
    {
        if (_fileOf.TryGetValue(key, out var file))
        {
            CancelAll(file, "the file is not wanted any more");
            Forget(file, keepsFailures: false);
        }
    }

    private void FinishWhatIsComplete()
    {
        for (var i = _files.Count - 1; i >= 0; i--)
        {
            // The request that brought the last chunk is let to its end, which is at hand: cutting it off would cost its connection.
            if (_files[i] is { IsComplete: true, InFlight.Count: 0 } file)
            {
                Forget(file, keepsFailures: false);
                Emit(new PlannerAction.Finish(file.Key));
            }
        }
    }

    private void GiveUp(FilePlan file, string reason, SourceFaultKind? cause, TimeSpan? retryIn = null)
    {
        CancelAll(file, "the file is given up");
        Forget(file, keepsFailures: false);
        Emit(new PlannerAction.GiveUp(file.Key, reason, cause, file.HasAsked, retryIn));
    }

    private void GiveUpLateFiles()
    {
        for (var i = _files.Count - 1; i >= 0; i--)
        {
            if (_files[i].Deadline <= _now)
            {
                GiveUp(_files[i], "it was not here by its deadline", cause: null);
            }
        }
    }

    private void Forget(FilePlan file, bool keepsFailures)
    {
        _files.Remove(file);
        _fileOf.Remove(file.Key);
        foreach (var source in file.Sources)
        {
            source.State.RememberFailures(file.Key, keepsFailures ? source.Failures : 0);
        }
    }

    /// <summary>Makes the listed sources the ones of a file. What is known of those that were listed before stays known.</summary>
    private void UpdateSources(FilePlan file, IReadOnlyList<SourceHint> hints)
    {
        foreach (var source in file.Sources)
        {
            source.IsListed = false;
        }

        foreach (var (id, kind, isPartial) in hints)
        {
            if (isPartial && file.ChunkCount <= _limits.WindowChunks)
            {
                // It comes whole, from who has it whole.
                continue;
            }

            if (file.SourceOf(id) is not { } source)
            {
                source = new FileSource(StateOf(id), kind);
                source.Remember(source.State.FailuresOf(file.Key));
                file.Sources.Add(source);
            }

            if (isPartial)
            {
                source.Parts ??= new SourceParts(file.Map.Count);
            }
            else if (source.Parts is not null)
            {
                ForgetParts(file, source);
                source.Parts = null;
            }

            source.Kind = kind;
            source.IsListed = true;
        }

        ForgetUnlisted(file);
    }

    /// <summary>One that had it, lost it and has it again is asked again.</summary>
    private static void ForgetUnlisted(FilePlan file)
    {
        file.IsShared = file.Sources.Exists(source => source is { IsListed: true, Parts: not null });
        foreach (
            var source in file.Sources.FindAll(source => source is { IsListed: false, InFlight: 0, Loss: not SourceLoss.Corrupt })
        )
        {
            if (source.Parts is not null)
            {
                ForgetParts(file, source);
            }

            file.Sources.Remove(source);
        }
    }

    /// <summary>Nodes come and go for years; what was learned of those that no file has now is let go when there are many.</summary>
    private void ForgetSources()
    {
        if (_sources.Count < SourcesRemembered)
        {
            return;
        }

        var used = _files.SelectMany(file => file.Sources).Select(source => source.State.Id).ToHashSet();
        foreach (var (id, state) in _sources)
        {
            state.Fade(_now, _limits);
            if (state.IsForgettable && !used.Contains(id) && !_awaited.ContainsKey(id))
            {
                _sources.Remove(id);
            }
        }
    }

    private SourceState StateOf(SourceId id)
    {
        if (!_sources.TryGetValue(id, out var state))
        {
            ForgetSources();
            state = new SourceState(id);
            _sources.Add(id, state);
        }

        return state;
    }
}
