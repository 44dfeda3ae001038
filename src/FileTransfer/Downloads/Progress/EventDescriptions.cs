using FileTransfer.Catalog;
using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Progress;

/// <summary>Events and downloads as JSON.</summary>
public static class EventDescriptions
{
    extension(EventResource)
    {
        public static EventResource Of(LoggedEvent logged)
        {
            var happened = logged.Event;
            return new EventResource(
                happened.File.ToString(),
                NameOf(happened.Kind),
                logged.At,
                happened.Source,
                happened.BytesProven,
                happened.Size,
                happened.Reason,
                happened.Ranges is { } ranges ? Pairs(ranges) : null
            );
        }

        public static string NameOf(DownloadEventKind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

        internal static IReadOnlyList<long[]> Pairs(IReadOnlyList<ChunkRange> ranges) =>
            [.. ranges.Select(range => new[] { range.First, range.Count })];
    }

    extension(FileStateResource)
    {
        public static FileStateResource Of(
            FileRecord file,
            ReplicaRecord? replica,
            NodeId node,
            LiveDownload? live,
            bool missed
        ) =>
            new(
                file.Key.ToString(),
                node.Value,
                file.State.ToString().ToLowerInvariant(),
                FollowedStates.NameOf(replica?.State),
                Math.Max(replica?.BytesProven ?? 0, live?.BytesProven ?? 0),
                file.Size,
                replica?.Reason,
                replica?.Attempts ?? 0,
                replica?.NextAttemptAt == DateTimeOffset.MaxValue ? null : replica?.NextAttemptAt,
                live?.Source,
                live is null ? null : EventResource.Pairs(live.Ranges),
                missed
            );
    }

    extension(DownloadResource)
    {
        public static DownloadResource Of(LiveDownload live) =>
            new(live.File.ToString(), live.Source, live.BytesProven, live.Size, live.Since, EventResource.Pairs(live.Ranges));
    }
}
