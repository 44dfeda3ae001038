using FileTransfer.Cluster;

namespace FileTransfer.Wants.Loads;

/// <content>The rounds: files are claimed and wanted, and metadata is asked for beside.</content>
internal sealed partial class LoadMaintenance
{
    /// <summary>Claims and wants files of the round for a while, those that it has claimed at once; then asks for metadata beside.</summary>
    /// <returns>Whether all that can be claimed and wanted is.</returns>
    private async Task<bool> BeginRoundAsync(LoadRow load, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var seen = -1;
        while (seen != 0 && time.GetElapsedTime(began) < _stretch)
        {
            var claimed = await ClaimAsync(load, cancellationToken);
            (seen, var wanted) = await table.WantAsync(load, claimed, cancellationToken);
            changes.PublishWanted(wanted);
            if (seen > 0)
            {
                queue.Set();
            }
        }

        if (seen != 0)
        {
            return false;
        }

        StartBeside(load, metadata.AskAsync, cancellationToken);
        if (load.BegunRound < load.Round)
        {
            await table.BegunRoundAsync(load, cancellationToken);
        }

        return true;
    }

    /// <returns>What was claimed; nothing where there is no more.</returns>
    private async Task<IReadOnlyList<FileKey>> ClaimAsync(LoadRow load, CancellationToken cancellationToken)
    {
        var files = await table.UnclaimedAsync(load, leadership.IsLeading, cancellationToken);
        if (files.Count == 0)
        {
            return [];
        }

        List<(FileKey Key, FileMetadata Metadata)> described = [];
        List<FileKey> known = [];
        foreach (var file in files)
        {
            if (file.Metadata is null)
            {
                known.Add(file.Key);
            }
            else if (MetadataOf(file) is { } metadata)
            {
                described.Add((file.Key, metadata));
            }
            else
            {
                table.TellFaulty(load, file.Key);
            }
        }

        try
        {
            await commands.ClaimAsync(described, known, cancellationToken);
        }
        catch (NotLeadingException)
        {
            return []; // Tried again, as whatever the node is then.
        }

        await table.ClaimedAsync(load, files.Select(file => file.Key), cancellationToken);
        return [.. described.Select(file => file.Key), .. known];
    }

    /// <summary>Does it unless it is being done; the end of a load cancels what was done for it while it ran.</summary>
    private void StartBeside(LoadRow load, Func<LoadRow, CancellationToken, Task> work, CancellationToken joined)
    {
        var hasEnded = load.EndedAt is not null;
        if (hasEnded && _beside.Remove((load.LoadId, false), out var former))
        {
            former.Cancel.Cancel();
        }

        if (!_beside.TryGetValue((load.LoadId, hasEnded), out var running) || running.Task.IsCompleted)
        {
            var cancel = CancellationTokenSource.CreateLinkedTokenSource(joined);
            _beside[(load.LoadId, hasEnded)] = (RunBesideAsync(load, work, cancel.Token), cancel);
        }
    }

    private async Task RunBesideAsync(
        LoadRow load,
        Func<LoadRow, CancellationToken, Task> work,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await Task.Yield();
            await work(load, cancellationToken);
            _wake.Set();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The load has ended, or the node stops or has lost its session.
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            Log.Failed(logger, node, e.Message);
        }
    }

    /// <summary>Null where it is not the file's: somebody else has written it.</summary>
    private static FileMetadata? MetadataOf(UnclaimedFile file)
    {
        try
        {
            var metadata = JsonSerializer.Deserialize(file.Metadata!, SparseJson.Default.FileRegistration)?.Read().Metadata;
            return metadata?.ComputeKey() == file.Key ? metadata : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
