using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;

namespace FileTransfer.Serving;

/// <summary>A form that a content is sent in: how the answer names it, and what writes parts of it.</summary>
/// <param name="ChunkLength">Bytes that a chunk has in this form; 0 where it is all there as soon as the content can be read at all.</param>
public readonly record struct ContentForm<T>(Representation Representation, T From, RangeWriter<T> Write, int ChunkLength);

/// <summary>
/// Sends a file, stored or under way, in one of its forms: opened, conditional, admitted, throttled. What turns out to be damaged is dealt with.
/// </summary>
public sealed class ContentDelivery(
    StoredContents stored,
    ArrivingContents arriving,
    ContentElsewhere elsewhere,
    DamagedContents damaged,
    EgressBandwidth egress
)
{
    /// <param name="proven">Whether the content proves itself as it is read.</param>
    public async Task<IResult> DeliverAsync<T>(
        HttpContext context,
        FileKey key,
        bool proven,
        Func<OpenContent, ContentForm<T>> formOf
    )
    {
        var gone = context.RequestAborted;
        for (var isFirst = true; ; isFirst = false)
        {
            var (content, problem) = await OpenAsync(context, key, proven);
            using (content)
            {
                if (content is null)
                {
                    return await elsewhere.InsteadOfAsync(problem!, key, context);
                }

                try
                {
                    return await SendAsync(context, key, content, formOf(content));
                }
                catch (ContentDamagedException damage) when (content.Arriving is null)
                {
                    // An answer that has begun has been cut off; the content is dealt with whether or not its reader waits for it.
                    var examined = damaged.ExamineAsync(
                        damage.Fingerprint,
                        content.Size,
                        $"a reader was sent it, and {damage.Reason}",
                        CancellationToken.None
                    );
                    if (context.Response.HasStarted || !isFirst)
                    {
                        throw;
                    }

                    await examined.WaitAsync(gone);
                    context.Response.Clear();
                }
            }
        }
    }

    /// <summary>The content, stored or under way, or the problem that says why not; as long as the reader prefers to wait for it.</summary>
    private async Task<(OpenContent? Content, ProblemHttpResult? Problem)> OpenAsync(
        HttpContext context,
        FileKey key,
        bool proven
    )
    {
        var opened = await OpenNowAsync(context, key, proven);
        return opened.Problem is { } problem && ArrivingContents.PatienceOf(context, problem) is { } patience
            ? await arriving.WaitAsync(context, key, patience, () => OpenNowAsync(context, key, proven))
            : opened;
    }

    private async Task<(OpenContent? Content, ProblemHttpResult? Problem)> OpenNowAsync(
        HttpContext context,
        FileKey key,
        bool proven
    ) => arriving.Open(context, key, proven) ?? await stored.OpenAsync(key, proven, context.RequestAborted);

    private async Task<IResult> SendAsync<T>(HttpContext context, FileKey key, OpenContent content, ContentForm<T> form)
    {
        var answer = form.Representation.AnswerTo(context.Request);
        using var sending = ArrivingContents.IsWorthAsking(context, content, form.ChunkLength, answer)
            ? ThrottledResponse.TryBegin(egress, context, content, form.Representation.Length, answer)
            : null;
        if (sending is null)
        {
            context.Response.Headers.RetryAfter = "1";
            return Problem.Of(
                ProblemTypes.SourceBusy,
                $"This source is serving the content of {key} to another node, or does not have this part of it yet; "
                    + "ask another source, or this one again in a second."
            );
        }

        await ContentResponse.ServeAsync(
            context,
            form.Representation,
            answer,
            (writer, offset, count, token) =>
            {
                content.Proof?.Begin(endsAt: offset + count);
                return content.Arriving is null || form.ChunkLength == 0
                    ? sending.WriteAsync(form.Write, form.From, writer, offset, count, token)
                    : arriving.WriteAsync(context, content.Arriving, form, sending, writer, offset, count, token);
            }
        );
        return Results.Empty;
    }
}
