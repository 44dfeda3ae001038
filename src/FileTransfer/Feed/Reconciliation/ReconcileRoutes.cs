using System.Text.Json.Serialization.Metadata;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>What folders and catalog know, for the program to compare, and what it decides, for the leader to do.</summary>
public static class ReconcileRoutes
{
    private const int MostFiles = 1000;

    public static void MapReconcile(this IEndpointRouteBuilder routes)
    {
        var reconcile = routes
            .MapGroup(Routes.Reconcile)
            .RequireAuthorization(AccessScopes.Admin)
            .WithTags("Reconcile")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);
        reconcile
            .MapGet("/folder", FolderAsync)
            .WithSummary("What the data folder of this node remembers of every file, one a line, in the order of the keys")
            .Produces<FolderLine>(StatusCodes.Status200OK, Ndjson.MediaType)
            .ProducesProblems(ProblemTypes.BadRequest);
        reconcile
            .MapDelete("/folder/{key}", ForgetAsync)
            .WithSummary("Lets the data folder of this node forget a file that the catalog does not have")
            .ProducesProblems(ProblemTypes.FileInCatalog);
        reconcile
            .MapGet("/catalog", CatalogAsync)
            .AtTheLeaderOnly()
            .WithSummary("What the catalog knows of every file, removed ones too, one a line, in the order of the keys")
            .Produces<CatalogLine>(StatusCodes.Status200OK, Ndjson.MediaType);
        reconcile
            .MapPost("", ApplyAsync)
            .AtTheLeaderOnly()
            .WithSummary("Registers and adds again, or removes again, what the catalog has lost")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.MetadataInvalid, ProblemTypes.KeyMismatch);
    }

    /// <param name="prove" example="false">Whether contents are hashed that the catalog does not call stored here.</param>
    private static async Task FolderAsync(
        bool? prove,
        FolderReading folder,
        FolderLedger ledger,
        NodeFile file,
        ThisNode node,
        HttpContext context
    )
    {
        var about = new FolderResource(
            node.Id.Value,
            node.ClusterId,
            file.Current?.Members ?? [node.Id.Value],
            [.. ledger.Epochs().Select(epoch => new EpochResource(epoch.Epoch, epoch.BeganAt))],
            [.. ledger.Policies().Select(FolderPolicyResource.Of)]
        );
        await WriteAsync(
            context,
            new FolderLine(about, null),
            folder.ReadAsync(prove ?? false, context.RequestAborted),
            evidence => new FolderLine(null, FolderFileResource.Of(evidence)),
            SparseJson.Default.FolderLine
        );
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> ForgetAsync(
        FileKey key,
        FolderLedger ledger,
        FileCatalog catalog,
        ChunkStore store,
        CancellationToken cancellationToken
    )
    {
        if (ledger.Find(key) is not { } file)
        {
            return TypedResults.NoContent();
        }

        using var contentLock = await store.LockContentAsync(file.Fingerprint, cancellationToken);
        if (await catalog.FindAsync(key, cancellationToken) is { State: not FileState.Removed })
        {
            return Problem.Of(
                ProblemTypes.FileInCatalog,
                $"The catalog has the file {key}, so the folder keeps it. Remove it with DELETE /v1/files/{key} if it is to go.",
                ("key", key.ToString())
            );
        }

        ledger.Forget(key, file.Fingerprint, file.Size);
        await ledger.FlushAsync();
        return TypedResults.NoContent();
    }

    private static async Task CatalogAsync(
        CatalogReading catalog,
        FeedHistory history,
        NodeDirectory directory,
        HttpContext context
    )
    {
        var about = new CatalogLine(
            [.. history.Epochs.Select(epoch => new EpochResource(epoch.Epoch, epoch.BeganAt))],
            [.. (await directory.AllAsync(context.RequestAborted)).Select(member => member.Node.Value)],
            null
        );
        await WriteAsync(
            context,
            about,
            catalog.ReadAsync(context.RequestAborted),
            evidence => new CatalogLine(null, null, CatalogFileResource.Of(evidence)),
            SparseJson.Default.CatalogLine
        );
    }

    private static async Task<Results<Ok<ReconcileResource>, ProblemHttpResult>> ApplyAsync(
        ReconcileRequest request,
        FileCommands commands,
        QueueSignal queue,
        CancellationToken cancellationToken
    )
    {
        if (request.Files is not { Count: > 0 and <= MostFiles } files)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"{request.Files?.Count ?? 0} files are given; write 1 to {MostFiles} of them as files."
            );
        }

        var decisions = new List<ReconcileDecision>(files.Count);
        foreach (var file in files)
        {
            if (!ReconcileDecision.TryRead(file, out var decision, out var problem))
            {
                return problem;
            }

            decisions.Add(decision);
        }

        var done = await commands.ReconcileAsync(decisions, cancellationToken);
        queue.Set();
        return TypedResults.Ok(done);
    }

    private static async Task WriteAsync<TItem, TLine>(
        HttpContext context,
        TLine first,
        IAsyncEnumerable<TItem> items,
        Func<TItem, TLine> lineOf,
        JsonTypeInfo<TLine> type
    )
    {
        await using var rest = items.GetAsyncEnumerator(context.RequestAborted);

        // A database that is away is told as a problem as long as nothing was sent.
        var more = await rest.MoveNextAsync();
        context.Response.ContentType = Ndjson.MediaType;
        await WriteLineAsync(context, first, type);
        for (; more; more = await rest.MoveNextAsync())
        {
            await WriteLineAsync(context, lineOf(rest.Current), type);
        }
    }

    private static async Task WriteLineAsync<TLine>(HttpContext context, TLine line, JsonTypeInfo<TLine> type)
    {
        var output = context.Response.BodyWriter;
        Ndjson.WriteLine(output, line, type);
        if (output.UnflushedBytes > 64 * 1024)
        {
            await output.FlushAsync(context.RequestAborted);
        }
    }
}
