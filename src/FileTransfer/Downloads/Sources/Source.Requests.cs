namespace FileTransfer.Downloads.Sources;

/// <content>Requests, and the answers that may be read.</content>
public abstract partial class Source
{
    /// <summary>A request for a path below the source's address, whole or for a range of bytes.</summary>
    protected HttpRequestMessage Request(string path, (long First, long Last)? range = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, path));
        if (range is var (first, last))
        {
            request.Headers.TryAddWithoutValidation("Range", $"bytes={first}-{last}");
        }

        return request;
    }

    /// <summary>Sends a request whose answer's body does not matter.</summary>
    protected async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var monitor = Monitor(cancellationToken);
        return await SendAsync(request, monitor, cancellationToken);
    }

    /// <summary>Sends a request and answers with a body that is the whole, or exactly the range, that was asked for.</summary>
    protected async Task<SourceBody> OpenAsync(
        HttpRequestMessage request,
        string what,
        long? expectedLength,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        var isRange = request.Headers.Contains("Range");
        var monitor = Monitor(cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            response = await SendAsync(request, monitor, cancellationToken);
            monitor.Start();
            progress.Answered();
            await RequireSuccessAsync(response, monitor, cancellationToken);
            var isPage = response.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml";
            if (response.StatusCode != (isRange ? HttpStatusCode.PartialContent : HttpStatusCode.OK))
            {
                var asked = isRange ? "a range" : "the whole";
                throw isPage ? Page("file") : Refused($"answered {(int)response.StatusCode} to a request for {asked}");
            }

            if (response.Content.Headers.ContentLength is { } length && expectedLength is { } expected && length != expected)
            {
                throw NotTheFile($"has {length} bytes of {what} where the file has {expected}");
            }

            return new SourceBody(
                this,
                response,
                await response.Content.ReadAsStreamAsync(cancellationToken),
                monitor,
                isOfUnknownLength: response.Headers.TransferEncodingChunked == true && expectedLength is not null,
                isPage
            );
        }
        catch
        {
            response?.Dispose();
            monitor.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        MinimumRateMonitor monitor,
        CancellationToken cancellationToken
    )
    {
        using var sent = request;
        try
        {
            return await http.SendAsync(request, monitor.Token);
        }
        catch (Exception e) when (FaultOf(e, monitor, cancellationToken) is not null)
        {
            throw FaultOf(e, monitor, cancellationToken)!;
        }
    }

    private async Task<int> ReadAtLeastAsync(
        Stream body,
        byte[] into,
        int least,
        MinimumRateMonitor monitor,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await body.ReadAtLeastAsync(into, least, throwOnEndOfStream: false, monitor.Token);
        }
        catch (Exception e) when (FaultOf(e, monitor, cancellationToken) is not null)
        {
            throw FaultOf(e, monitor, cancellationToken)!;
        }
    }

    private MinimumRateMonitor Monitor(CancellationToken cancellationToken)
    {
        var (floor, period) = (options.StallFloorBytesPerSecond, options.StallPeriod);
        var monitor = new MinimumRateMonitor(floor, period, _received, options.Time, cancellationToken);
        monitor.StartForHead(options.LongestToFirstByte());
        return monitor;
    }
}
