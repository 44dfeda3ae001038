using System.Diagnostics;

namespace FileTransfer.Uploads;

/// <summary>What an upload consists of, for whoever follows its trace.</summary>
internal static class UploadTraces
{
    private static readonly ActivitySource _source = new("FileTransfer.Uploads");

    /// <summary>One content that comes; null where nobody listens.</summary>
    public static Activity? Receive() => _source.StartActivity("receive");

    /// <summary>Many of them in one stream.</summary>
    public static Activity? ReceiveBatch() => _source.StartActivity("receive batch");

    /// <summary>Proven contents become durable, stored and visible.</summary>
    public static Activity? Publish(int files) => _source.StartActivity("publish upload")?.SetTag("file.count", files);
}
