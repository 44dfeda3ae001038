namespace FileTransfer.Hosting.Access;

/// <summary>Keeps what the uploads of one caller that are under way will bring to <see cref="CallerLimits.UploadBytes"/>.</summary>
/// <remarks>One that does not say how long it is counts with what has come of it, and is let in while there is room for a byte.</remarks>
internal sealed class UploadBytes(IOptions<CallerLimits> limits)
{
    private readonly ConcurrentDictionary<HttpContext, string> _running = new();
    private readonly Lock _gate = new();

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<OctetBody>() is null)
        {
            await next(context);
            return;
        }

        var caller = CallerBounds.CallerOf(context);
        if (!TryAdd(context, caller))
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
            _running.TryRemove(context, out _);
        }
    }

    private bool TryAdd(HttpContext context, string caller)
    {
        lock (_gate)
        {
            var others = _running.Where(one => one.Value == caller).Sum(one => (decimal)BytesOf(one.Key));
            return others + Math.Max(1, BytesOf(context)) <= limits.Value.UploadBytes && _running.TryAdd(context, caller);
        }
    }

    private static long BytesOf(HttpContext context) =>
        context.Request.ContentLength ?? TransferMeter.Of(context)?.BytesReceived ?? 0;
}
