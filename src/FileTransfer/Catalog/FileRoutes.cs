using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

/// <summary>What a person or a node asks about files: one, or a listing.</summary>
public static class FileRoutes
{
    private const int DefaultPage = 100;
    private const int LargestPage = 1000;

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var files = routes.MapGroup(Routes.Files).RequireAuthorization(AccessScopes.Read).WithTags("Files");
        files
            .MapGet("/{key}", FindAsync)
            .WithSummary("One file: its metadata and every node's replica")
            .ProducesProblems(ProblemTypes.FileUnknown, ProblemTypes.DatabaseUnavailable);
        files
            .MapGet("", ListAsync)
            .WithSummary(
                "The files of the cluster by filters, in pages: in the order of their keys, or of their locations where these are asked for"
            )
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.FileKeyMalformed, ProblemTypes.DatabaseUnavailable);
    }

    private static async Task<Results<Ok<FileResource>, ProblemHttpResult>> FindAsync(
        FileKey key,
        FileCatalog catalog,
        ReplicaTable replicas,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        if (await catalog.FindAsync(key, cancellationToken) is not { } file)
        {
            return FileProblems.Unknown(key);
        }

        var resource = FileResource.Of(file, here, await replicas.OfAsync(key, cancellationToken));
        var notWantedAt = await replicas.NotWantedAtAsync(file, cancellationToken);
        return TypedResults.Ok(resource with { NotWantedAt = [.. notWantedAt.Select(id => id.Value)] });
    }

    /// <param name="bucket" example="0x02">Only files of this bucket, hex.</param>
    /// <param name="owner" example="0x01">Only files of this owner, hex.</param>
    /// <param name="state" example="stored">Only files whose replica at this node is <c>wanted</c>, <c>downloading</c>, <c>stored</c>, <c>removing</c>, <c>failed</c> or <c>paused</c>.</param>
    /// <param name="location" example="photos/">Only files whose location begins with this text.</param>
    /// <param name="limit" example="100">Files in a page, 1 to 1000; 100 when left out. Fewer come where their locations are long.</param>
    /// <param name="after">The key that the page before ended with, its <c>next</c>.</param>
    private static async Task<Results<Ok<FileListing>, ProblemHttpResult>> ListAsync(
        string? bucket,
        string? owner,
        string? state,
        string? location,
        int? limit,
        string? after,
        FileCatalog catalog,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        var size = limit ?? DefaultPage;
        if (size is < 1 or > LargestPage)
        {
            return Problem.Of(ProblemTypes.BadRequest, $"limit={size} is out of range; write 1 to {LargestPage}.");
        }

        if (!TryHex("bucket", bucket, out var bucketId, out var problem) || !TryHex("owner", owner, out var ownerId, out problem))
        {
            return problem!;
        }

        ReplicaState? replicaState = null;
        if (state is not null)
        {
            if (!ReplicaTransitions.TryRead(state, out var parsed))
            {
                var names = string.Join(", ", Enum.GetValues<ReplicaState>().Select(ReplicaTransitions.NameOf));
                return Problem.Of(ProblemTypes.BadRequest, $"state={state} is not a replica state; write one of {names}.");
            }

            replicaState = parsed;
        }

        FileRecord? last = null;
        if (after is not null)
        {
            if (!FileKey.TryParse(after, out var parsed))
            {
                return FileProblems.Malformed(after);
            }

            last = await catalog.FindAsync(parsed, cancellationToken);
            if (last is null)
            {
                return Problem.Of(
                    ProblemTypes.BadRequest,
                    $"after={after} is no file of this cluster; write the next of a page, or list from the beginning."
                );
            }
        }

        ByteString? prefix = string.IsNullOrEmpty(location) ? null : ByteString.FromUtf8(location);
        // The last one tells whether another page follows, where it is one more than asked for, or than the bytes of a page let in.
        var filter = new FileFilter(bucketId, ownerId, replicaState, prefix, last, size + 1);
        var (found, next) = await catalog.ListAsync(filter, here, cancellationToken);
        var goesOn =
            found.Count > size || (found.Count > 1 && PageBytes.AreReached(found.Select(listed => listed.File.Metadata)));
        var resources = found
            .SkipLast(goesOn ? 1 : 0)
            .Select(listed => FileResource.Of(listed.File, listed.StateHere) with { Reason = listed.Reason })
            .ToList();
        return TypedResults.Ok(new FileListing(resources, goesOn ? resources[^1].Key : next?.Key.ToString()));
    }

    private static bool TryHex(string name, string? text, out ByteString? value, out ProblemHttpResult? problem)
    {
        value = null;
        problem = null;
        if (text is null)
        {
            return true;
        }

        if (ByteString.TryParseHex(text, out var octets) && !octets.IsEmpty)
        {
            value = octets;
            return true;
        }

        problem = Problem.Of(
            ProblemTypes.BadRequest,
            $"{name}={text} is not hex; write an even number of hex digits, with or without 0x."
        );
        return false;
    }
}
