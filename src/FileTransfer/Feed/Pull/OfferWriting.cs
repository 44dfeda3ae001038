namespace FileTransfer.Feed.Pull;

/// <summary>This cluster's feed in the form that other clusters read.</summary>
internal static class OfferWriting
{
    public static SyncCursors Of(OfferedCursors cursors, string cluster) =>
        new(
            cluster,
            cursors.Epoch,
            [.. cursors.Bins.Select(bin => new BinCursor(bin.Bin, bin.Head, bin.RetainedFrom, bin.Digest.ToString()))]
        );

    public static SyncPage Of(OfferedPage offered, long from)
    {
        var page = offered.Page;
        var topmost = page.Mutations.Count > 0 ? page.Last : Math.Min(from - 1, offered.Head);
        return new SyncPage(page.Epoch, page.Bin, from, topmost, [.. page.Mutations.Select(Of)], offered.Digest?.ToString());
    }

    public static SyncRanges Of(OfferedRanges offered, int bin) =>
        new(
            offered.Epoch,
            bin,
            offered.Head,
            [.. offered.Ranges.Select(one => new SyncRange(one.Prefix, one.Files, one.Digest.ToString()))]
        );

    public static SyncFiles Of(OfferedFiles page, int bin) =>
        new(
            page.Epoch,
            bin,
            page.Head,
            [
                .. page.Files.Select(file => new SyncFile(
                    file.Key.ToString(),
                    FileRegistration.Of(file.Metadata),
                    Of(bin, file.Origin)
                )),
            ],
            page.GoesOn ? page.Files[^1].Key.ToString() : null
        );

    private static SyncMutation Of(Mutation mutation)
    {
        var (metadata, origin, appendedAt, traceparent) = mutation.Details!;
        return new SyncMutation(
            mutation.Sequence,
            mutation.Kind == MutationKind.Add ? SyncMutation.Add : SyncMutation.Remove,
            mutation.Key.ToString(),
            mutation.Kind == MutationKind.Add ? FileRegistration.Of(metadata!) : null,
            Of(mutation.Bin, origin),
            appendedAt,
            mutation.Kind == MutationKind.Add ? traceparent : null
        );
    }

    private static SyncOrigin Of(int bin, MutationOrigin origin) => new(origin.Cluster, origin.Epoch, bin, origin.Sequence);
}
