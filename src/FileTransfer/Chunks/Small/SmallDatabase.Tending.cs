using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Small;

/// <content>What keeps the file and its log from growing for ever.</content>
public sealed partial class SmallDatabase
{
    /// <summary>Where somebody reads at every moment, the log cannot begin anew by itself.</summary>
    private const long LongestLog = 64L * 1024 * 1024;

    /// <summary>Pages given back to the file system at a time, where more than half of the file is free.</summary>
    private const int PagesGivenBack = 1024;

    /// <summary>To look at the file after each commit would cost as much as a small commit.</summary>
    private const int CommitsBetween = 64;

    private int _commits;

    private void Tend()
    {
        if (++_commits % CommitsBetween != 0)
        {
            return;
        }

        try
        {
            if (new FileInfo(_paths.Small + "-wal") is { Exists: true, Length: > LongestLog })
            {
                Alone(() => Writer().Execute("PRAGMA wal_checkpoint(truncate)"));
            }

            lock (_commitGate)
            {
                var free = Pages("freelist_count");
                if (free > PagesGivenBack && free > Pages("page_count") / 2)
                {
                    Writer().Execute($"PRAGMA incremental_vacuum({PagesGivenBack})");
                }
            }
        }
        catch (Exception e) when (e is SqliteException or IOException)
        {
            // It is tried again after some more commits; damage is dealt with where it hinders a read or a write.
            Log.NotTended(_logger, _paths.Small, e.Message);
        }
    }

    private long Pages(string pragma) => (long)Writer().Scalar($"PRAGMA {pragma}")!;

    private static partial class Log
    {
        [LoggerMessage(1122, LogLevel.Warning, "Could not make {Database} or its log smaller; trying again: {Reason}")]
        public static partial void NotTended(ILogger logger, string database, string reason);
    }
}
