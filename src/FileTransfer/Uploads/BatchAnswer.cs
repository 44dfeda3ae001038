using FileTransfer.Chunks;
using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Uploads;

/// <summary>The answer to a batch: a line for each file, in their order.</summary>
internal sealed class BatchAnswer(HttpContext context)
{
    private int _answered;

    /// <summary>Whether a line was sent: what goes wrong from then on is said in the last one.</summary>
    public bool HasBegun => context.Response.HasStarted;

    public void Stored(FileKey key, bool isNew) =>
        Write(new BatchLine(_answered++, key.ToString(), isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK, null));

    public void Refused(FileKey? key, ProblemDetails problem) =>
        Write(new BatchLine(_answered++, key?.ToString(), problem.Status!.Value, ProblemBody.Of(problem)));

    /// <summary>Says what the whole request fails of, for the first file that was not answered.</summary>
    public Task EndAsync(ProblemDetails problem)
    {
        Refused(null, problem);
        return FlushAsync(context.RequestAborted);
    }

    public async Task FlushAsync(CancellationToken cancellationToken) =>
        (await context.Response.BodyWriter.FlushAsync(cancellationToken)).ThrowIfGone(cancellationToken);

    private void Write(BatchLine line)
    {
        if (!HasBegun)
        {
            context.Response.ContentType = Ndjson.MediaType;
        }

        Ndjson.WriteLine(context.Response.BodyWriter, line, SparseJson.Default.BatchLine);
    }
}
