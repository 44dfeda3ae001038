using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed;

/// <summary>Registers and removes files.</summary>
public static class FileCommandRoutes
{
    public static void MapFileCommands(this IEndpointRouteBuilder routes)
    {
        var files = routes.MapGroup(Routes.Files).RequireAuthorization(AccessScopes.Write).WithTags("Files");
        files
            .MapPut("/{key}", RegisterAsync)
            .WithSummary("Makes a file known by its metadata; at a node that does not lead, the file is wanted there at once")
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.MetadataInvalid,
                ProblemTypes.KeyMismatch,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
        files
            .MapDelete("/{key}", RemoveAsync)
            .AtTheLeaderOnly()
            .WithSummary("Removes a file from every node; 200 where it stays because an upstream has it")
            .ProducesProblems(
                ProblemTypes.FileUnknown,
                ProblemTypes.FileOwnedUpstream,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
    }

    private static async Task<Results<Ok<FileResource>, Created<FileResource>, ProblemHttpResult>> RegisterAsync(
        FileKey key,
        FileRegistration registration,
        FileCommands commands,
        ReplicaTable replicas,
        QueueSignal queue,
        ReplicaChanges changes,
        FileCatalog catalog,
        PublishHeld publishHeld,
        Leadership leadership,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        var (metadata, fault) = registration.Read();
        if (metadata is null)
        {
            return Problem.Of(fault!.Type, fault.Detail);
        }

        var computed = metadata.ComputeKey();
        if (computed != key)
        {
            return Problem.Of(
                ProblemTypes.KeyMismatch,
                $"The key {key} does not match this metadata, whose hash is {computed}. Correct the key or the metadata.",
                ("key", key.ToString()),
                ("computedKey", computed.ToString())
            );
        }

        var (outcome, file, isReady) = await commands.RegisterAsync(key, metadata, cancellationToken);
        if (isReady)
        {
            queue.Set();
        }

        if (outcome != RegisterOutcome.Known)
        {
            changes.PublishWanted([new ReplicaChange(key, (long)metadata.Size)]);
        }

        if (leadership.IsLeading && file.State == FileState.Registered && await IsHeldAsync(file, publishHeld, cancellationToken))
        {
            file = await catalog.FindAsync(key, cancellationToken) ?? file;
        }

        var resource = FileResource.Of(file, here, await replicas.OfAsync(key, cancellationToken));
        return outcome == RegisterOutcome.Known
            ? TypedResults.Ok(resource)
            : TypedResults.Created(Routes.Of(Routes.File, key), resource);
    }

    /// <summary>A file that waits for its upload does not where its content is here: it is stored, and its Add is in the feed.</summary>
    private static async Task<bool> IsHeldAsync(FileRecord file, PublishHeld publishHeld, CancellationToken cancellationToken)
    {
        try
        {
            return await publishHeld(file, cancellationToken);
        }
        catch (NotLeadingException)
        {
            // It is registered; whoever leads now waits for its upload.
            return false;
        }
    }

    private static async Task<Results<NoContent, Ok<KeptFile>, ProblemHttpResult>> RemoveAsync(
        FileKey key,
        FileCommands commands,
        ChunkStore store,
        UpstreamAddresses addresses,
        CancellationToken cancellationToken
    )
    {
        var removal = await commands.RemoveAsync(key, cancellationToken);
        switch (removal)
        {
            case { State: null }:
                return FileProblems.Unknown(key);
            case { KeptFor.Count: 0 }:
                store.Hide(key);
                return TypedResults.NoContent();
            case { WasOwn: true }:
                return TypedResults.Ok(new KeptFile(key.ToString(), removal.KeptFor));
        }

        var upstreams = await addresses.OfAsync(removal.KeptFor, cancellationToken);
        return Problem.Of(
            ProblemTypes.FileOwnedUpstream,
            $"The file {key} is here because {string.Join(" and ", upstreams.Select(u => $"'{u.Name}' at {u.Url}"))} "
                + "has it; remove it there.",
            ("key", key.ToString()),
            ("upstreams", upstreams.Select(upstream => upstream.Name).ToArray()),
            ("urls", upstreams.Select(upstream => upstream.Url).ToArray())
        );
    }
}
