using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <content>What goes wrong with a source, as a fault that names it.</content>
public abstract partial class Source
{
    private const int LongestProblem = 4096;

    /// <summary>Its query may be a secret, as a name and a password are.</summary>
    private readonly string _shownUrl =
        url.Query.Length + url.UserInfo.Length == 0
            ? url.OriginalString
            : url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private static readonly byte[] _busy = Encoding.UTF8.GetBytes($"\"{ProblemTypes.SourceBusy.Urn}\"");
    private static readonly byte[] _elsewhere = Encoding.UTF8.GetBytes($"\"{ProblemTypes.FileElsewhere.Urn}\"");

    /// <summary>What a source does that answers 401 or 403, and what to do about it.</summary>
    protected virtual string Refusal => "refuses to serve this node";

    protected internal SourceException Fault(
        SourceFaultKind fault,
        string what,
        Exception? cause = null,
        TimeSpan? retryAfter = null,
        DamageReport? damage = null
    ) => new(fault, $"{name} at {_shownUrl} {what}", cause, retryAfter, damage);

    /// <summary>It sent bytes that are not the file's.</summary>
    internal SourceException Corrupt(string what, long? chunk, string damage) =>
        Fault(SourceFaultKind.Corrupt, what, damage: new DamageReport(chunk, damage));

    internal SourceException CorruptWhole(bool isPage = false) =>
        isPage ? Page("file") : Corrupt("sent a content with another fingerprint", null, "the content has another fingerprint");

    /// <summary>It has something else under the name, or not yet all of it: whoever fills a folder, or answers for names it does not know.</summary>
    internal SourceException NotTheFile(string what) =>
        Fault(SourceFaultKind.NotFound, what, damage: new DamageReport(Chunk: null, what));

    internal SourceException NotFound() => Fault(SourceFaultKind.NotFound, "does not have the file");

    internal SourceException Page(string instead) => NotTheFile($"answered with a page, so it does not have the {instead}");

    private SourceException Refused(string what) => Fault(SourceFaultKind.Refused, what);

    private SourceException Unreachable(string what, Exception thrown) => Fault(SourceFaultKind.Unreachable, what, thrown);

    /// <summary>What a network call under the monitor threw, as a fault of the source; null where it is none of the source.</summary>
    internal SourceException? FaultOf(Exception thrown, MinimumRateMonitor monitor, CancellationToken cancellationToken) =>
        thrown switch
        {
            OperationCanceledException when monitor.HasStalled && !cancellationToken.IsCancellationRequested => Fault(
                SourceFaultKind.Stalled,
                $"sent less than {options.StallFloorBytesPerSecond} bytes per second for {options.StallPeriod.TotalSeconds:0.#} s"
            ),
            // The client's own limit for connecting.
            OperationCanceledException when !monitor.Token.IsCancellationRequested => Unreachable(
                $"did not accept a connection within {ClientHandler.ConnectTimeout.TotalSeconds:0} s",
                thrown
            ),
            InvalidDataException => Fault(SourceFaultKind.EndedEarly, "sent compressed bytes that cannot be read", thrown),
            _ when IsEndOfConnection(thrown) => Fault(SourceFaultKind.EndedEarly, "closed the connection in the middle", thrown),
            HttpRequestException
            or IOException when thrown is HttpRequestException || !cancellationToken.IsCancellationRequested => Unreachable(
                $"cannot be read from: {thrown.GetBaseException().Message}",
                thrown
            ),
            _ => null,
        };

    private static bool IsEndOfConnection(Exception e) =>
        e
            is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }
                or HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }
        || (
            e is HttpRequestException or IOException
            && e.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionReset }
        );

    private async Task RequireSuccessAsync(
        HttpResponseMessage response,
        MinimumRateMonitor monitor,
        CancellationToken cancellationToken
    )
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.PartialContent:
                return;
            case HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.Gone:
                throw NotFound();
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                throw NotTheFile("has fewer bytes than the file");
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                throw Refused($"{Refusal} ({(int)response.StatusCode})");
            case HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable:
                throw await NotNowAsync(response, monitor, cancellationToken);
            case var status:
                throw Refused(
                    ClientHandler.RedirectOf(response) is { } target
                        ? $"answered {(int)status} to {ClientHandler.ServerOf(target)}, which its FollowRedirectsTo does not name"
                        : $"answered {(int)status}"
                );
        }
    }

    /// <summary>It sends the file to others now, does not have it yet while others do, or wants to be left alone.</summary>
    private async Task<SourceException> NotNowAsync(
        HttpResponseMessage response,
        MinimumRateMonitor monitor,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[LongestProblem];
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var text = buffer.AsMemory(0, await ReadAtLeastAsync(body, buffer, buffer.Length, monitor, cancellationToken));
        var retryAfter = ClientHandler.RetryAfterOf(response, options.Time);
        if (text.Span.IndexOf(_busy) >= 0)
        {
            return Fault(SourceFaultKind.Busy, "sends it to another node now", retryAfter: retryAfter ?? TimeSpan.FromSeconds(1));
        }

        if (text.Span.IndexOf(_elsewhere) >= 0)
        {
            return NotFound();
        }

        var until = retryAfter is { } wait ? $" and asks to be tried again in {wait.TotalSeconds:0} s" : "";
        return Fault(SourceFaultKind.Throttled, $"answered {(int)response.StatusCode}{until}", retryAfter: retryAfter);
    }
}
