using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Cli.Client;

/// <summary>What can be done about a failed request.</summary>
public enum RetryAdvice
{
    /// <summary>Every node would say the same.</summary>
    None,

    /// <summary>Another node may do better; this one will not.</summary>
    OtherNode,

    /// <summary>The same request may succeed in a moment, here or elsewhere.</summary>
    Later,
}

/// <summary>A request to a node that did not succeed.</summary>
public abstract class NodeException(Uri node, string message, ExitCode code, RetryAdvice remedy, Exception? cause = null)
    : Exception(message, cause),
        IFailure
{
    public Uri Node => node;

    public ExitCode Code => code;

    public RetryAdvice Remedy => remedy;

    public virtual string? Title => null;

    public virtual string? Type => null;
}

/// <summary>The node could not be reached, or the connection to it was lost or stood still.</summary>
public sealed class NodeUnreachableException(Uri node, string reason, Exception? cause = null)
    : NodeException(node, $"{node.Display()} {reason}", ExitCode.Unreachable, RetryAdvice.Later, cause);

/// <summary>The node sent something that contradicts the file's own name.</summary>
public sealed class NodeContradictionException(Uri node, string detail)
    : NodeException(node, detail, ExitCode.NotProven, RetryAdvice.OtherNode);

/// <summary>A node names as its leader what it does not list as a node, or what is reached less privately than itself.</summary>
public sealed class ForeignLeaderException(Uri node, Uri leader)
    : NodeException(
        node,
        $"{node.Display()} names {leader.Display()} as its leader, which it does not list as a node, or which is less private than itself (no https, this machine, or one link); nothing was sent there. "
            + "If it is one, give it as --url.",
        ExitCode.Refused,
        RetryAdvice.OtherNode
    );

/// <summary>The node answered with a problem (RFC 9457).</summary>
public sealed class NodeProblemException(Uri node, HttpStatusCode status, ProblemBody body, TimeSpan? retryAfter)
    : NodeException(
        node,
        Advice(body) ?? body.Title ?? $"{node.Display()} answered {(int)status} without saying why.",
        CodeOf(status, body.Type),
        RemedyOf(status, body.Type)
    )
{
    public HttpStatusCode Status => status;

    /// <summary>Whether the node says that its database is away.</summary>
    public bool IsDatabaseAway => Type == ProblemTypes.DatabaseUnavailable.Urn;

    /// <summary>The chunk that the problem is about, as an upload that is not whole names the first that is missing.</summary>
    public long? Chunk => body.Chunk;

    /// <summary>Whether an upload ended before all of its chunks had come.</summary>
    public bool IsUploadUnfinished => Type == ProblemTypes.UploadInvalid.Urn && body.Chunk is not null;

    public override string? Title => body.Title;

    public override string? Type => body.Type;

    /// <summary>When the node asked to be asked again.</summary>
    public TimeSpan? RetryAfter => retryAfter;

    /// <summary>Where the leader is, as a follower names it.</summary>
    public Uri? LeaderUrl =>
        status == HttpStatusCode.MisdirectedRequest && NodeUrl.TryParse(body.LeaderUrl, out var url) ? url : null;

    /// <summary>The detail; to one who works with the program, a route is no help.</summary>
    private static string? Advice(ProblemBody body) =>
        body.Type == ProblemTypes.FileUnknown.Urn && body.Detail is { } detail
            ? detail.Split(". ")[0].TrimEnd('.') + ". 'filetransfer list' shows the files that exist."
            : body.Detail;

    private static ExitCode CodeOf(HttpStatusCode status, string? type) =>
        status switch
        {
            HttpStatusCode.NotFound => ExitCode.NotFound,
            HttpStatusCode.Conflict when type == ProblemTypes.FileNotStored.Urn => ExitCode.NotComplete,
            HttpStatusCode.ServiceUnavailable when type == ProblemTypes.FileElsewhere.Urn => ExitCode.NotComplete,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCode.Refused,
            HttpStatusCode.ServiceUnavailable or HttpStatusCode.MisdirectedRequest => ExitCode.Unavailable,
            HttpStatusCode.UnprocessableEntity when type == ProblemTypes.FingerprintMismatch.Urn => ExitCode.NotProven,
            _ => ExitCode.Failed,
        };

    private static RetryAdvice RemedyOf(HttpStatusCode status, string? type) =>
        status switch
        {
            HttpStatusCode.ServiceUnavailable when type == ProblemTypes.FileElsewhere.Urn => RetryAdvice.OtherNode,
            HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.MisdirectedRequest
            or HttpStatusCode.TooManyRequests
            or HttpStatusCode.BadGateway
            or HttpStatusCode.GatewayTimeout => RetryAdvice.Later,
            HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.InternalServerError => RetryAdvice.OtherNode,
            _ => RetryAdvice.None,
        };
}

public static class NodeUrl
{
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Uri? url)
    {
        // Routes are resolved against it, so a path must end like a folder.
        url = null;
        return text is not null
            && Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out url)
            && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            && url.Query.Length == 0;
    }

    /// <summary>The URL as people write it, without the slash at the end.</summary>
    public static string Display(this Uri node) => node.AbsoluteUri.TrimEnd('/');
}
