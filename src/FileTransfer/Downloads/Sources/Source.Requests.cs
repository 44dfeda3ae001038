using System.IO.Compression;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <content>Requests, and the answers that may be read.</content>
public abstract partial class Source
{
    /// <summary>A request for a path below the source's address, whole or for a range of bytes.</summary>
    protected HttpRequestMessage Request(string path, (long First, long Last)? range = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, path + url.Query));
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
            var isPage = IsPage(response);
            var headers = response.Content.Headers;
            var encoding = headers.ContentEncoding.LastOrDefault(one => one != "identity");
            if (isRange && !IsRange(request, response, encoding))
            {
                throw isPage
                    ? Page("file")
                    : Fault(SourceFaultKind.NoRanges, $"answered {DescribeRange(response, encoding)} to a request for a range");
            }

            if (!isRange && response.StatusCode != HttpStatusCode.OK)
            {
                throw isPage ? Page("file") : Refused($"answered {(int)response.StatusCode} to a request for the whole");
            }

            if (encoding is null && headers.ContentLength is { } length && expectedLength is { } expected && length != expected)
            {
                throw NotTheFile($"has {length} bytes of {what} where the file has {expected}");
            }

            var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            return new SourceBody(
                this,
                response,
                encoding is null ? stream : Decoded(stream, encoding),
                monitor,
                progress,
                isOfUnknownLength: (encoding is not null || response.Headers.TransferEncodingChunked == true)
                    && expectedLength is not null,
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

    private static bool IsPage(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml";

    /// <summary>By what came, not by what was promised: the bytes that were asked for, as they are.</summary>
    private static bool IsRange(HttpRequestMessage request, HttpResponseMessage response, string? encoding) =>
        response.StatusCode == HttpStatusCode.PartialContent
        && encoding is null
        && response.Content.Headers.ContentRange is { } sent
        && request.Headers.Range?.Ranges.First() is { } asked
        && sent.From == asked.From
        // A content that ends before is another one, which its length will say.
        && (sent.To == asked.To || sent.Length <= asked.To);

    private static string DescribeRange(HttpResponseMessage response, string? encoding) =>
        $"{(int)response.StatusCode}"
        + (encoding is null ? "" : $" in {encoding}")
        + (
            response.StatusCode != HttpStatusCode.PartialContent ? ""
            : response.Content.Headers.ContentRange is { } range ? $" with {range}"
            : " without a Content-Range"
        );

    /// <summary>Nobody asked for it, but some compress whatever they send.</summary>
    private Stream Decoded(Stream stream, string encoding) =>
        encoding switch
        {
            "gzip" or "x-gzip" => new GZipStream(stream, CompressionMode.Decompress),
            "br" => new BrotliStream(stream, CompressionMode.Decompress),
            "deflate" => new ZLibStream(stream, CompressionMode.Decompress),
            _ => throw NotTheFile($"sends it in '{encoding}', which nobody asked for"),
        };

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
