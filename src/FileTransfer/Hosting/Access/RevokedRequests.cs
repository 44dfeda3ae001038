using FileTransfer.Cluster.Trust;

namespace FileTransfer.Hosting.Access;

/// <summary>Cuts off the requests whose token or certificate, or whose node's key, is not valid any more: streams of events go on for days.</summary>
internal sealed class RevokedRequests : IDisposable
{
    private readonly ConcurrentDictionary<HttpContext, Func<bool>> _running = new();

    /// <summary>Held while requests are cut off and when one ends: nobody cuts off a request whose context serves another by then.</summary>
    private readonly Lock _ending = new();
    private readonly TokenTable _tokens;
    private readonly StoredTokens _stored;
    private readonly TrustedKeys _trusted;
    private readonly OpenEndpoints _endpoints;

    public RevokedRequests(TokenTable tokens, StoredTokens stored, TrustedKeys trusted, OpenEndpoints endpoints)
    {
        (_tokens, _stored, _trusted, _endpoints) = (tokens, stored, trusted, endpoints);
        tokens.Changed += CutOff;
        stored.Looked += CutOff;
        trusted.Changed += CutOff;
    }

    public void Dispose()
    {
        _tokens.Changed -= CutOff;
        _stored.Looked -= CutOff;
        _trusted.Changed -= CutOff;
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (MayGoOn(context) is not { } mayGoOn || !mayGoOn())
        {
            await next(context);
            return;
        }

        _running[context] = mayGoOn;
        try
        {
            // What ended while it was let in was not cut off.
            if (!mayGoOn())
            {
                context.Abort();
            }

            await next(context);
        }
        finally
        {
            lock (_ending)
            {
                _running.TryRemove(context, out _);
            }
        }
    }

    /// <summary>Whether what a request was let in by still counts; null where it needed nothing.</summary>
    private Func<bool>? MayGoOn(HttpContext context) =>
        SignedCallers.PeerOf(context) is var (peer, keys) ? () => _trusted.Judge(peer).Keys.Any(keys.Contains)
        : BearerTokens.TokenOf(context.Request) is { } token ? () => _tokens.Find(token) is not null
        : _endpoints.CertificateOf(context) is { } certificate ? () => !_tokens.IsRevoked(certificate)
        : null;

    private void CutOff()
    {
        foreach (var (context, mayGoOn) in _running)
        {
            if (mayGoOn())
            {
                continue;
            }

            lock (_ending)
            {
                if (_running.TryGetValue(context, out var running) && running == mayGoOn)
                {
                    context.Abort();
                }
            }
        }
    }
}
