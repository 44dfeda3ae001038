using System.Text.Json.Serialization.Metadata;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

public enum ComparisonDepth
{
    /// <summary>Ranges of keys whose digests are equal are passed over.</summary>
    Differences,

    /// <summary>Every file is taken anew.</summary>
    Everything,
}

/// <summary>Compares what this cluster has of a bin of an upstream with what the upstream has, and takes over what it finds.</summary>
/// <remarks>
/// Digests of ranges of keys lead to the files in which the two differ: of a million files, to one in two requests. What is missing here is
/// taken as if its Add had come; what the upstream does not have is kept (<see cref="FileCommands.CompareUpstreamAsync"/>). The feed may go on
/// meanwhile on both sides.
/// </remarks>
internal sealed class BinComparison(
    FileCommands commands,
    Database database,
    UpstreamOptions upstream,
    UpstreamClient client,
    short bin,
    ComparisonDepth depth,
    CancellationToken cancellationToken
)
{
    /// <summary>A range of more files is parted once more, where both sides have many.</summary>
    private const int MostListed = OfferedFeed.LargestPage;

    private const int MostTries = 5;

    private readonly long _leaderEpoch = commands.LeaderEpoch;

    /// <summary>What the upstream may take for the digests of a large bin.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(45);

    /// <summary>The history, and the cursor before anything was read: what follows it comes by the feed.</summary>
    public ComparedBin? Begun { get; private set; }

    /// <summary>Files that this cluster did not know of.</summary>
    public List<FileKey> Missing { get; } = [];

    /// <summary>Files that the upstream does not have.</summary>
    public List<FileKey> Extra { get; } = [];

    public Task RunAsync() => CompareAsync(KeyPrefix.OfBin(bin));

    private async Task CompareAsync(KeyPrefix range)
    {
        var ours =
            depth == ComparisonDepth.Everything
                ? []
                : await UpstreamFiles.RangesAsync(database, upstream.Name, range, cancellationToken);
        if (ours.Count == 0)
        {
            await ListAsync(range);
            return;
        }

        var answer = await AskAsync(Routes.BinDigests, [$"prefix={range}"], WireJson.Default.SyncRanges);
        var at = Note(answer.Epoch, answer.Bin, answer.Cursor);
        var theirs = OfferReading.Read(answer, range).ToDictionary(one => one.Prefix);
        var known = ours.ToDictionary(one => one.Prefix);
        foreach (var prefix in known.Keys.Union(theirs.Keys).Order(StringComparer.Ordinal))
        {
            var (our, their) = (known.GetValueOrDefault(prefix), theirs.GetValueOrDefault(prefix));
            if (our != their)
            {
                await CompareAsync(KeyPrefix.Parse(prefix, bin)!, our?.Files ?? 0, their?.Files ?? 0, at);
            }
        }
    }

    private async Task CompareAsync(KeyPrefix part, long our, long their, ComparedBin at)
    {
        if (their > MostListed && our > MostListed / 2 && part.Digits.Length < KeyPrefix.Longest)
        {
            await CompareAsync(part);
        }
        else if (their > 0 || !await TakeAsync(at, new ComparedPart(part.Before, part.Last, [])))
        {
            await ListAsync(part);
        }
    }

    private async Task ListAsync(KeyPrefix range)
    {
        FileKey? after = null;
        for (var tries = 1; ; tries++)
        {
            List<string> query = [$"prefix={range}", $"limit={OfferedFeed.LargestPage}"];
            query.AddRange(after is null ? [] : [$"after={after}"]);
            var page = await AskAsync(Routes.BinFiles, query, WireJson.Default.SyncFiles);
            var at = Note(page.Epoch, page.Bin, page.Cursor);
            var files = OfferReading.Read(page, range, after);
            var last = page.Next is null ? range.Last : files[^1].Key.ToArray();
            if (!await TakeAsync(at, new ComparedPart(after?.ToArray() ?? range.Before, last, files)))
            {
                // More of the feed was applied here before the page was: it is read as it is now.
                if (tries == MostTries)
                {
                    throw new UpstreamFaultException($"its bin {bin} is at {page.Cursor}, before what it offered");
                }

                continue;
            }

            if (page.Next is null)
            {
                return;
            }

            (after, tries) = (files[^1].Key, 0);
        }
    }

    private ComparedBin Note(Guid epoch, int of, long cursor)
    {
        var at = new ComparedBin(epoch, bin, cursor, _leaderEpoch);
        Begun ??= at;
        return of == bin && epoch == Begun.Epoch
            ? at
            : throw new UpstreamFaultException($"its files of bin {bin} are not what was asked for");
    }

    private async Task<bool> TakeAsync(ComparedBin at, ComparedPart part)
    {
        var found = await commands.CompareUpstreamAsync(upstream, at, part, cancellationToken);
        Missing.AddRange(found?.Missing ?? []);
        Extra.AddRange(found?.Extra ?? []);
        return found is not null;
    }

    private async Task<T> AskAsync<T>(string route, IEnumerable<string> query, JsonTypeInfo<T> type)
        where T : class
    {
        string[] buckets = upstream.Buckets.Count > 0 ? [$"bucket={string.Join(',', upstream.Buckets)}"] : [];
        var path = $"{Routes.Of(route, bin)}?{string.Join('&', [.. query, .. buckets])}";
        return await client.GetAsync(path, _patience, type, cancellationToken)
            ?? throw new UpstreamFaultException($"it has no files of bin {bin}");
    }
}
