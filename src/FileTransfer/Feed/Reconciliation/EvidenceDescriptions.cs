using FileTransfer.Catalog;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>Evidence as JSON, and back.</summary>
public static class EvidenceDescriptions
{
    extension(PositionResource position)
    {
        public static PositionResource? Of(FeedPosition? at) =>
            at is { } place ? new PositionResource(place.Epoch, place.Sequence) : null;

        public FeedPosition ToPosition() => new(position.Epoch, position.Sequence);
    }

    extension(EpochResource epoch)
    {
        public LedgerEpoch ToEpoch() => new(epoch.Epoch, epoch.BeganAt, []);
    }

    extension(FolderPolicyResource)
    {
        public static FolderPolicyResource Of(LedgerPolicy policy) =>
            new(
                policy.Bucket.ToString(),
                policy.Kind,
                [
                    .. policy.Prefixes.Select(value => new LocationFilter(FilterKind.Prefix, value).ToString()),
                    .. policy.Exacts.Select(value => new LocationFilter(FilterKind.Exact, value).ToString()),
                ]
            );
    }

    extension(FolderFileResource line)
    {
        public static FolderFileResource Of(FolderEvidence evidence) =>
            new(
                evidence.Key.ToString(),
                evidence.File is { } file ? FileRegistration.Of(file.Metadata) : null,
                evidence.File?.Generation ?? 0,
                evidence.File?.IsPinned ?? false,
                PositionResource.Of(evidence.File?.Added),
                evidence.File?.StoredAt,
                PositionResource.Of(evidence.Removal?.At),
                evidence.Removal?.AppliedAt,
                evidence.Content.ToString().ToLowerInvariant()
            );

        /// <exception cref="InvalidDataException">It is not what a node says.</exception>
        public FolderEvidence ToEvidence(string node)
        {
            if (
                !FileKey.TryParse(line.Key, out var key)
                || !Enum.TryParse<HeldContent>(line.Content, ignoreCase: true, out var content)
            )
            {
                throw new InvalidDataException($"'{node}' says of a file '{line.Key}' that its content is '{line.Content}'.");
            }

            LedgerFile? file = null;
            if (line.File is not null)
            {
                var metadata = line.File.Read().Metadata;
                if (metadata is null || metadata.ComputeKey() != key)
                {
                    throw new InvalidDataException($"'{node}' gives metadata for {key} of which this is not the key.");
                }

                file = new LedgerFile(
                    key,
                    metadata,
                    line.Generation,
                    line.Pinned,
                    line.Added?.ToPosition(),
                    line.StoredAt ?? default
                );
            }

            var removal = line.Removed is { } removed
                ? new LedgerRemoval(key, removed.ToPosition(), line.RemovedAt ?? default)
                : null;
            return new FolderEvidence(node, key, file, removal, content);
        }
    }

    extension(CatalogFileResource line)
    {
        public static CatalogFileResource Of(CatalogEvidence evidence) =>
            new(
                evidence.Key.ToString(),
                evidence.State.ToString().ToLowerInvariant(),
                evidence.Generation,
                PositionResource.Of(evidence.Last)
            );

        /// <exception cref="InvalidDataException">It is not what a node says.</exception>
        public CatalogEvidence ToEvidence() =>
            FileKey.TryParse(line.Key, out var key) && Enum.TryParse<FileState>(line.State, ignoreCase: true, out var state)
                ? new CatalogEvidence(key, state, line.Generation, line.Last?.ToPosition())
                : throw new InvalidDataException($"The leader says of a file '{line.Key}' that it is '{line.State}'.");
    }
}
