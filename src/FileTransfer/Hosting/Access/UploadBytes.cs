namespace FileTransfer.Hosting.Access;

/// <summary>Keeps what the uploads of one caller that are under way will bring to <see cref="CallerLimits.UploadBytes"/>.</summary>
/// <remarks>One that does not say how long it is counts with what has come of it, and is let in while there is room for a byte.</remarks>
internal sealed class UploadBytes(IOptions<CallerLimits> limits)
{
    private readonly HashSet<Upload> _running = [];
    private readonly Lock _gate = new();

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<OctetBody>() is null)
        {
            await next(context);
            return;
        }

        var caller = CallerBounds.CallerOf(context);
        var upload = new Upload(caller, context.Request.ContentLength, TransferMeter.Of(context));
        if (!TryAdd(upload))
        {
            await CallerLimits
                .Refusal(
                    context.Response,
                    nameof(CallerLimits.UploadBytes),
                    $"{caller} has uploads under way that bring as many bytes as one caller may have at a time; send this one when others have ended."
                )
                .ExecuteAsync(context);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            lock (_gate)
            {
                _running.Remove(upload);
            }
        }
    }

    private bool TryAdd(Upload upload)
    {
        lock (_gate)
        {
            var others = _running.Where(one => one.Caller == upload.Caller).Sum(one => (decimal)one.Bytes);
            return others + Math.Max(1, upload.Bytes) <= limits.Value.UploadBytes && _running.Add(upload);
        }
    }

    /// <summary>What others may look at while it ends: its context serves another request soon after.</summary>
    private sealed class Upload(string caller, long? length, TransferMeter? meter)
    {
        public string Caller => caller;

        public long Bytes => length ?? meter?.BytesReceived ?? 0;
    }
}
