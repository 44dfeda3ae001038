using System.Diagnostics;

namespace FileTransfer.Postgres.Embedded;

/// <content>What an earlier run may have left: half a cluster, a server that still runs or is just ending, a file that names a process long gone.</content>
public sealed partial class EmbeddedPostgres
{
    /// <remarks>The folder's lock is held, so no other service runs this cluster: a server found here has lost its owner.</remarks>
    private async Task CleanUpPreviousRunAsync(CancellationToken cancellationToken)
    {
        foreach (var unfinished in Directory.GetDirectories(_layout.Folder, "cluster.new-*"))
        {
            await DeleteAsync(unfinished, cancellationToken);
        }

        if (!File.Exists(_layout.PidFile))
        {
            return;
        }

        await EndLeftoverServerAsync(cancellationToken);

        // The number in the file may by now be another process's, which would keep the server from starting. None of this cluster is left.
        File.Delete(_layout.PidFile);
    }

    /// <summary>An initdb that outlived its owner may still be writing; it gives up once its files vanish.</summary>
    private static async Task DeleteAsync(string unfinished, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (Directory.Exists(unfinished))
        {
            try
            {
                Directory.Delete(unfinished, recursive: true);
            }
            catch (IOException) when (Stopwatch.GetElapsedTime(since) < Patience)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }

    private async Task EndLeftoverServerAsync(CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        var asked = false;
        var pressed = false;
        while (ProcessesOfCluster() is { Count: > 0 } left)
        {
            var server = ReadPostmasterPid() is { } pid && left.Contains(pid) ? pid : 0;
            if (!asked)
            {
                asked = true;
                Log.Leftover(_logger, server != 0 ? server : left[0], _layout.Folder);
                Signal(server, Posix.Interrupt);
            }

            var waited = Stopwatch.GetElapsedTime(since);
            if (waited > Patience && !pressed)
            {
                pressed = true;
                Signal(server, Posix.Quit);
            }

            if (waited > Patience * 1.5)
            {
                throw new FatalStartException(
                    $"A PostgreSQL server of an earlier run still uses {_layout.Folder} (processes {string.Join(", ", left)}) and does not end. "
                        + "End it (kill -QUIT), then start again."
                );
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    private static void Signal(int server, int signal)
    {
        if (server != 0)
        {
            Posix.Signal(server, signal);
        }
    }

    /// <summary>The first line of <c>postmaster.pid</c>; null = there is none, or it is not written yet.</summary>
    private int? ReadPostmasterPid()
    {
        try
        {
            return
                int.TryParse(File.ReadLines(_layout.PidFile).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid)
                && pid > 0
                ? pid
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The server processes that work in this very cluster: PostgreSQL makes the cluster's folder the working directory of all of them.</summary>
    private List<int> ProcessesOfCluster()
    {
        var cluster = Posix.RealPath(_layout.Cluster);
        var found = new List<int>();
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            try
            {
                if (
                    new FileInfo(process + "/cwd").LinkTarget == cluster
                    && File.ReadAllText(process + "/comm").Trim() == "postgres"
                )
                {
                    found.Add(pid);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended, or it is another user's.
            }
        }

        return found;
    }
}
