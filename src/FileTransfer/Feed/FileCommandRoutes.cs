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
                ProblemTypes.QuotaExceeded,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
        files
            .MapDelete("/{key}", RemoveAsync)
            .AtTheLeaderOnly()
            .WithSummary("Removes a file from every node; 200 where it stays because an upstream has it")
            .WithDescription("Its content is kept for `FileTransfer:Store:TrashPeriod`, unseen, so that it can be restored.")
            .ProducesProblems(
                ProblemTypes.FileUnknown,
                ProblemTypes.FileOwnedUpstream,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
        files
            .MapPost("/{key}/restore", RestoreAsync)
            .AtTheLeaderOnly()
            .WithSummary("Brings a removed file back while its content is kept; 200 where it was not removed")
            .ProducesProblems(
                ProblemTypes.FileUnknown,
                ProblemTypes.FileNotKept,
                ProblemTypes.QuotaExceeded,
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

    private static async Task<Results<Ok<FileResource>, Created<FileResource>, ProblemHttpResult>> RestoreAsync(
        FileKey key,
        FileCommands commands,
        ChunkStore store,
        FileCatalog catalog,
        PublishHeld publishHeld,
        ReplicaTable replicas,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        if (await catalog.FindAsync(key, cancellationToken) is not { } file)
        {
            return FileProblems.Unknown(key);
        }

        var isRemoved = file.State == FileState.Removed;
        if (isRemoved)
        {
            if (!store.Holds(file.Fingerprint))
            {
                return Problem.Of(
                    ProblemTypes.FileNotKept,
                    $"The file {key} was removed, and its content is not here any more (FileTransfer:Store:TrashPeriod). Upload it again.",
                    ("key", key.ToString())
                );
            }

            // A registration of a file whose content is here is all there is to it.
            file = (await commands.RegisterAsync(key, file.Metadata, cancellationToken)).File;
            await IsHeldAsync(file, publishHeld, cancellationToken);
            file = await catalog.FindAsync(key, cancellationToken) ?? file;
        }

        var resource = FileResource.Of(file, here, await replicas.OfAsync(key, cancellationToken));
        return isRemoved ? TypedResults.Created(Routes.Of(Routes.File, key), resource) : TypedResults.Ok(resource);
    }

    /// <param name="key"></param>
    /// <param name="now" example="false">Whether its content goes at once, for good; also where the file was removed already.</param>
    private static async Task<Results<NoContent, Ok<KeptFile>, ProblemHttpResult>> RemoveAsync(
        FileKey key,
        bool? now,
        FileCommands commands,
        ChunkStore store,
        UpstreamAddresses addresses,
        CancellationToken cancellationToken
    )
    {
        var removal = await commands.RemoveAsync(key, purges: now == true, cancellationToken);
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
