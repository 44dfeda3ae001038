using FileTransfer.Downloads.Planning;

namespace FileTransfer.Tests.Downloads.Planning;

// How worlds end, so that every wish must come to its end.
internal sealed partial class PlannerWorld
{
    /// <summary>Everything is silent from now on: every file leaves its lane.</summary>
    public void FallSilent()
    {
        // A body that has begun and stops is ended by whoever watches its rate; what came before may have been the last of the hashes.
        Pass(TimeSpan.FromSeconds(10));
        for (var round = 0; round < 100 && _files.Exists(file => file.IsWanted); round++)
        {
            _files.ForEach(VerifyHashes);
            foreach (var request in _requests.Values.ToList())
            {
                if (_requests.ContainsKey(request.Id))
                {
                    Fail(request, SourceFaultKind.Stalled, 0);
                }
            }

            // What waited for a source may ask another now, which is as silent.
            Pass(TimeSpan.FromSeconds(2));
        }

        _files.ShouldNotContain(file => file.IsWanted, "every wanted file ends, whatever the world does");
    }

    /// <summary>Everything is well from now on: every file comes here, without what is proven being asked for again.</summary>
    public void GetWell()
    {
        foreach (var file in _files)
        {
            file.NotFoundAt.Clear();
            file.LiedAt.Clear();
            file.BusyUntil.Clear();
            ChangeSources(file, ~0, 0);
        }

        var before = _files.ToDictionary(file => file, file => file.TimesFinished);
        for (var round = 0; _files.Exists(file => file.TimesFinished == before[file]); round++)
        {
            round.ShouldBeLessThan(5_000, "a well world brings every file, whoever is blamed for what");
            foreach (var file in _files.Where(file => file.TimesFinished == before[file]))
            {
                VerifyHashes(file);
                Want(file, ~0, 1);
            }

            foreach (var hint in _hints.Where(hint => _sources[hint.Id].IsProbed))
            {
                EndProbe(hint.Id, isAnswered: true);
            }

            foreach (var request in _requests.Values.ToList())
            {
                if (_requests.ContainsKey(request.Id))
                {
                    End(request);
                }
            }

            Pass(TimeSpan.FromMilliseconds(20));
        }
    }
}
