namespace FileTransfer.Hosting.Access;

/// <summary>Cuts off the requests whose token is not valid any more: streams of events go on for days.</summary>
internal sealed class RevokedRequests : IDisposable
{
    private readonly ConcurrentDictionary<HttpContext, string> _running = new();
    private readonly TokenTable _tokens;
    private readonly StoredTokens _stored;

    public RevokedRequests(TokenTable tokens, StoredTokens stored)
    {
        (_tokens, _stored) = (tokens, stored);
        stored.Looked += CutOff;
    }

    public void Dispose() => _stored.Looked -= CutOff;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (BearerTokens.TokenOf(context.Request) is not { } token || _tokens.Find(token) is null)
        {
            await next(context);
            return;
        }

        _running[context] = token;
        try
        {
            await next(context);
        }
        finally
        {
            _running.TryRemove(context, out _);
        }
    }

    private void CutOff()
    {
        foreach (var (context, token) in _running)
        {
            if (_tokens.Find(token) is null)
            {
                context.Abort();
            }
        }
    }
}
