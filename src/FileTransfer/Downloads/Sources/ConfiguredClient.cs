namespace FileTransfer.Downloads.Sources;

/// <summary>What is asked of a configured source: with its credentials, and where it redirects to, as far as that is followed.</summary>
internal sealed class ConfiguredClient(SourceEntry entry, HttpMessageInvoker http) : HttpMessageInvoker(Nobody)
{
    private const int MostRedirects = 5;

    /// <summary>The other client sends.</summary>
    private static readonly HttpMessageHandler Nobody = new SocketsHttpHandler();

    private readonly Uri _base = entry.Base;

    public override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var current = WithCredentials(request);
        for (var left = MostRedirects; ; left--)
        {
            var response = await http.SendAsync(current, cancellationToken);
            if (left == 0 || ClientHandler.RedirectOf(response) is not { } target || !IsFollowed(current.RequestUri!, target))
            {
                return response;
            }

            response.Dispose();
            var next = new HttpRequestMessage(HttpMethod.Get, target);
            foreach (var (name, values) in request.Headers.NonValidated)
            {
                if (name != "Authorization")
                {
                    next.Headers.TryAddWithoutValidation(name, values);
                }
            }

            current = WithCredentials(next);
        }
    }

    private bool IsFollowed(Uri from, Uri target) =>
        (target.Scheme == Uri.UriSchemeHttps || (target.Scheme == Uri.UriSchemeHttp && from.Scheme == Uri.UriSchemeHttp))
        && (IsOwn(target) || entry.FollowRedirectsTo.Contains(target.Host, StringComparer.OrdinalIgnoreCase));

    private bool IsOwn(Uri target) => string.Equals(target.Host, _base.Host, StringComparison.OrdinalIgnoreCase);

    private HttpRequestMessage WithCredentials(HttpRequestMessage request)
    {
        var isOwn =
            IsOwn(request.RequestUri!) && (_base.Scheme == Uri.UriSchemeHttp || request.RequestUri!.Scheme == _base.Scheme);
        if (isOwn && entry.Credentials is { } credentials)
        {
            request.Headers.TryAddWithoutValidation("Authorization", credentials);
        }

        return request;
    }
}
