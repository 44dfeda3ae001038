namespace FileTransfer.Contracts;

/// <summary>The headers of what is posted to a webhook.</summary>
public static class WebhookHeaders
{
    /// <summary>When it was signed, in seconds since 1970.</summary>
    public const string Time = "FileTransfer-Time";

    /// <summary><c>sha256=</c> and the HMAC-SHA256, by the webhook's secret, of the time, a full stop and the body.</summary>
    public const string Signature = "FileTransfer-Signature";
}
