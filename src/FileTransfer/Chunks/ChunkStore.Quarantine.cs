using FileTransfer.Chunks.Durability;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    /// <summary>Told of each content that was set aside, by whoever did.</summary>
    public event Action<QuarantinedContent>? SetAside;

    /// <summary>Sets a content aside, durably, with a reason beside it. Call under <see cref="LockContentAsync"/>.</summary>
    /// <returns>Where it is now; null when it was not here.</returns>
    public string? Quarantine(Fingerprint fingerprint, string reason)
    {
        if (!Holds(fingerprint))
        {
            return null;
        }

        _proofs.Forget(fingerprint);

        // The same content can be set aside again after it was fetched again.
        var kept = _paths.FreeInQuarantine(fingerprint.ToHex());
        DurableFile.Create(kept + StorePaths.ReasonSuffix, Encoding.UTF8.GetBytes(reason + "\n"));
        if (_paths.Content(fingerprint) is var content && Path.Exists(content))
        {
            DurableFile.Rename(content, kept);
            TryDelete(_paths.Hashes(fingerprint));
            DurableFile.FsyncFolder(_paths.Quarantine);
            DurableFile.FsyncFolder(Path.GetDirectoryName(content)!);
        }
        else
        {
            DurableFile.Create(kept, SmallBytes(fingerprint));
            DurableFile.FsyncFolder(_paths.Quarantine);
            DeleteSmall(fingerprint);
        }

        Log.Quarantined(_logger, fingerprint, kept, reason);
        SetAside?.Invoke(new QuarantinedContent(fingerprint, reason, Path.GetFileName(kept), DateTimeOffset.UtcNow));
        return kept;
    }

    /// <summary>What was set aside and not brought back since: it is not among the contents.</summary>
    public IEnumerable<QuarantinedContent> Quarantined()
    {
        foreach (var reason in new DirectoryInfo(_paths.Quarantine).EnumerateFiles("*" + StorePaths.ReasonSuffix))
        {
            var name = reason.Name[..^StorePaths.ReasonSuffix.Length];
            if (Fingerprint.TryParse(name.Split('.')[0], out var fingerprint) && !Holds(fingerprint))
            {
                yield return new QuarantinedContent(
                    fingerprint,
                    File.ReadAllText(reason.FullName).Trim(),
                    name,
                    new DateTimeOffset(reason.LastWriteTimeUtc)
                );
            }
        }
    }

    /// <summary>At start: a reason that was written for a content that then stayed where it was.</summary>
    private void RemoveLeftoverReasons()
    {
        foreach (var reason in Directory.EnumerateFiles(_paths.Quarantine, "*" + StorePaths.ReasonSuffix))
        {
            if (!Path.Exists(reason[..^StorePaths.ReasonSuffix.Length]))
            {
                File.Delete(reason);
            }
        }
    }
}

/// <param name="Reason">What was wrong with it, as a part of a sentence.</param>
/// <param name="Name">Its name in the folder <c>quarantine</c>.</param>
public sealed record QuarantinedContent(Fingerprint Fingerprint, string Reason, string Name, DateTimeOffset At);
