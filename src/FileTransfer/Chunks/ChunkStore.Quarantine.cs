using System.Text;
using FileTransfer.Identity;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    /// <summary>
    /// Sets a content aside, durably: it is no longer served, and a file beside it says why. Nothing happens when it is not here. Call
    /// under <see cref="LockContentAsync"/>.
    /// </summary>
    public void Quarantine(Fingerprint fingerprint, string reason)
    {
        var content = _paths.Content(fingerprint);
        if (!File.Exists(content))
        {
            return;
        }

        // The same content can be set aside again after it was fetched again.
        var kept = Path.Combine(_paths.Quarantine, fingerprint.ToHex());
        for (var number = 2; File.Exists(kept); number++)
        {
            kept = Path.Combine(_paths.Quarantine, $"{fingerprint.ToHex()}.{number}");
        }

        WriteDurably(kept + StorePaths.ReasonSuffix, reason + "\n");
        DurableFile.Rename(content, kept);
        TryDelete(_paths.Hashes(fingerprint));
        DurableFile.FsyncFolder(_paths.Quarantine);
        DurableFile.FsyncFolder(Path.GetDirectoryName(content)!);
        Log.Quarantined(_logger, fingerprint, kept, reason);
    }

    private static void WriteDurably(string path, string text)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        RandomAccess.Write(file, Encoding.UTF8.GetBytes(text), 0);
        DurableFile.Fsync(file, path);
    }

    /// <summary>At start: a reason that was written for a content that then stayed where it was.</summary>
    private void RemoveLeftoverReasons()
    {
        foreach (var reason in Directory.EnumerateFiles(_paths.Quarantine, "*" + StorePaths.ReasonSuffix))
        {
            if (!File.Exists(reason[..^StorePaths.ReasonSuffix.Length]))
            {
                File.Delete(reason);
            }
        }
    }
}
