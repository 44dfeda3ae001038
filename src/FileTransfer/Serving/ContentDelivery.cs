using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;

namespace FileTransfer.Serving;

/// <summary>A form that a content is sent in: how the answer names it, and what writes parts of it.</summary>
public readonly record struct ContentForm<T>(Representation Representation, T From, RangeWriter<T> Write);

/// <summary>Sends a stored file in one of its forms: opened, conditional, admitted, throttled. What turns out to be damaged is dealt with.</summary>
public sealed class ContentDelivery(
    StoredContents stored,
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
        Func<StoredContent, ContentForm<T>> formOf
    )
    {
        var gone = context.RequestAborted;
        for (var isFirst = true; ; isFirst = false)
        {
            var (content, problem) = await stored.OpenAsync(key, proven, gone);
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
                catch (ContentDamagedException damage)
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

    private async Task<IResult> SendAsync<T>(HttpContext context, FileKey key, StoredContent content, ContentForm<T> form)
    {
        var answer = form.Representation.AnswerTo(context.Request);
        using var sending = ThrottledResponse.TryBegin(egress, context, content, answer);
        if (sending is null)
        {
            context.Response.Headers.RetryAfter = "1";
            return Problem.Of(
                ProblemTypes.SourceBusy,
                $"This source is serving the content of {key} to another node; ask another source, or this one again in a second."
            );
        }

        await ContentResponse.ServeAsync(
            context,
            form.Representation,
            answer,
            (writer, offset, count, token) =>
            {
                content.Proof?.Begin(endsAt: offset + count);
                return sending.WriteAsync(form.Write, form.From, writer, offset, count, token);
            }
        );
        return Results.Empty;
    }
}
