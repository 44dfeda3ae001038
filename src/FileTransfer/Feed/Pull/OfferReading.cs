using System.Diagnostics.CodeAnalysis;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>Takes an upstream's answers apart. One in which anything is wrong is rejected whole.</summary>
public static class OfferReading
{
    /// <exception cref="UpstreamFaultException">Something is wrong with it.</exception>
    public static UpstreamCursors Read(SyncCursors told, string here)
    {
        Require(NodeId.FromText(told.Cluster) is not null, "its cursors name no cluster");
        Require(
            told.Cluster != here,
            $"it is of a cluster '{here}' too, and the ids of clusters that meet must differ; rename one"
        );
        Require(told.Bins is { Count: FeedPage.Bins }, $"its cursors have {told.Bins?.Count ?? 0} bins");
        var digests = new List<Hash256>();
        foreach (var (bin, cursor) in told.Bins!.Index())
        {
            Require(cursor is { Cursor: >= 0 } && cursor.Bin == bin, $"its cursor of bin {bin} is missing or below zero");
            Require(Hash256.TryParse(cursor.Digest, out var digest), $"the digest of its bin {bin} is '{cursor.Digest}'");
            digests.Add(digest);
        }

        return new UpstreamCursors(
            told.Cluster,
            told.Epoch,
            [.. told.Bins!.Select(bin => bin.Cursor)],
            digests,
            [.. told.Bins!.Select(bin => bin.RetainedFrom)]
        );
    }

    /// <summary>What fills a gap of a bin from its beginning on.</summary>
    /// <exception cref="UpstreamFaultException">Something is wrong with it.</exception>
    public static FeedPage Read(SyncPage offer, FeedGap gap, Guid epoch)
    {
        var (bin, after, until) = gap;
        Require(offer.Epoch == epoch, $"its offer of bin {bin} is of another history than its cursors");
        Require(
            offer.Bin == bin && offer.From == after + 1,
            $"asked for bin {bin} from {after + 1}, it offers bin {offer.Bin} from {offer.From}"
        );
        Require(offer.Mutations is not null, "its offer has no mutations");
        var mutations = offer.Mutations.Select(mutation => Read(mutation, bin)).ToList();
        var page = new FeedPage(offer.Epoch, bin, after, mutations);
        try
        {
            page.RequireDense();
        }
        catch (FeedGapException missing)
        {
            Require(false, $"its offer is not dense. {missing.Message}");
        }

        Require(
            offer.Topmost == page.Last,
            $"its offer of bin {bin} ends with {page.Last} and calls {offer.Topmost} its topmost"
        );
        Require(page.Last <= until, $"asked for bin {bin} up to {until}, it offers up to {page.Last}");
        return page;
    }

    /// <summary>The files of a page of a range, each as an Add that was the last thing to happen to it up to the page's cursor.</summary>
    /// <exception cref="UpstreamFaultException">Something is wrong with it.</exception>
    public static IReadOnlyList<Mutation> Read(SyncFiles page, KeyPrefix range, FileKey? after)
    {
        Require(page.Files is not null, $"its files of {range} are missing");
        var files = page
            .Files.Select(file =>
                Read(
                    new SyncMutation(page.Cursor, SyncMutation.Add, file.Key, file.Metadata, file.Origin, default),
                    (short)page.Bin
                )
            )
            .ToList();
        foreach (var file in files)
        {
            Require(
                range.Has(file.Key) && !(file.Key.CompareTo(after ?? default) <= 0),
                $"asked for files of {range} after {after}, it names {file.Key}"
            );
            after = file.Key;
        }

        Require(
            page.Next is null || (files.Count > 0 && page.Next == $"{after}"),
            $"its files of {range} go on after {page.Next}"
        );
        return files;
    }

    /// <summary>The digests of the parts of a range.</summary>
    /// <exception cref="UpstreamFaultException">Something is wrong with it.</exception>
    public static IReadOnlyList<RangeDigest> Read(SyncRanges answer, KeyPrefix range)
    {
        Require(answer.Ranges is not null, $"its digests of {range} are missing");
        var ranges = new List<RangeDigest>();
        foreach (var (prefix, files, text) in answer.Ranges)
        {
            Require(
                range.IsPart(prefix) && files > 0 && ranges.All(other => other.Prefix != prefix),
                $"asked for the parts of {range}, it names '{prefix}' with {files} files"
            );
            Require(Hash256.TryParse(text, out var digest), $"its digest of {prefix} is '{text}'");
            ranges.Add(new RangeDigest(prefix, files, digest));
        }

        return ranges;
    }

    private static Mutation Read(SyncMutation mutation, short bin)
    {
        Require(FileKey.TryParse(mutation.Key, out var key), $"'{mutation.Key}' is not a file key");
        Require(key != default, "it offers the key of zeros");
        Require(key.Bin == bin, $"the key {key} is not of bin {bin}");
        Require(mutation.Kind is SyncMutation.Add or SyncMutation.Remove, $"'{mutation.Kind}' is not a kind of mutation");
        var origin = mutation.Origin;
        Require(
            origin is not null && NodeId.FromText(origin.Cluster) is not null && origin.Bin == bin && origin.Sequence >= 0,
            $"the mutation of {key} has no right origin"
        );
        var details = new MutationOrigin(origin.Cluster, origin.Epoch, origin.Sequence);
        if (mutation.Kind == SyncMutation.Remove)
        {
            return new Mutation(bin, mutation.Sequence, MutationKind.Remove, key)
            {
                Details = new MutationDetails(null, details, mutation.AppendedAt),
            };
        }

        var (metadata, fault) = mutation.Metadata?.Read() ?? (null, null);
        Require(metadata is not null, $"the Add of {key} has no right metadata. {fault?.Detail}");
        Require(metadata!.ComputeKey() == key, $"the metadata of {key} does not hash to it");
        return new Mutation(bin, mutation.Sequence, MutationKind.Add, key)
        {
            Details = new MutationDetails(metadata, details, mutation.AppendedAt, mutation.Traceparent),
        };
    }

    private static void Require([DoesNotReturnIf(false)] bool holds, string fault)
    {
        if (!holds)
        {
            SyncMetrics.Rejected();
            throw new UpstreamFaultException(fault);
        }
    }
}
