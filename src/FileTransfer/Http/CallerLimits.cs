using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Http;

/// <summary>What one caller may have of this node at a time: a token by its name, else an address. Section <c>FileTransfer:Callers</c>.</summary>
public sealed class CallerLimits
{
    public const string Section = "FileTransfer:Callers";

    /// <summary>Requests that are answered at the same time.</summary>
    /// <remarks>Default 1000, 1 – 1,000,000: nodes that share a token and programs behind one proxy are one caller.</remarks>
    [Range(1, 1_000_000)]
    public int Requests { get; set; } = 1000;

    /// <summary>Of these, streams of events.</summary>
    /// <remarks>Default 200, 1 – 1,000,000.</remarks>
    [Range(1, 1_000_000)]
    public int EventStreams { get; set; } = 200;

    /// <summary>Of these, uploads.</summary>
    /// <remarks>Default 200, 1 – 1,000,000: each has a connection, and what has come of its content on the disk.</remarks>
    [Range(1, 1_000_000)]
    public int Uploads { get; set; } = 200;

    /// <summary>Bytes that the uploads under way bring.</summary>
    /// <remarks>Default 1 TiB, from 1: by the lengths that they give; one without a length counts with what has come.</remarks>
    [Range(1, long.MaxValue)]
    public long UploadBytes { get; set; } = 1L << 40;

    /// <summary>Of these, answers in JSON.</summary>
    /// <remarks>Default 100, 1 – 1,000,000: each has up to 2 MiB of memory for as long as its reader takes. What nodes ask each other is not counted.</remarks>
    [Range(1, 1_000_000)]
    public int Reads { get; set; } = 100;

    /// <summary>Answers in JSON in a second, on average; three seconds' worth may come at once.</summary>
    /// <remarks>Default 500, 1 – 1,000,000: each of them asks the database. What nodes ask each other, contents and health are not counted.</remarks>
    [Range(1, 1_000_000)]
    public int ReadsPerSecond { get; set; } = 500;

    /// <summary>Intents that are open at this node.</summary>
    /// <remarks>Default 20,000, 1 – 1,000,000: each is looked at until it ends.</remarks>
    [Range(1, 1_000_000)]
    public int Intents { get; set; } = 20_000;

    /// <summary>Policies of this node, whoever set them.</summary>
    /// <remarks>Default 10,000, 1 – 1,000,000: each is read with whatever its bucket's files are judged by.</remarks>
    [Range(1, 1_000_000)]
    public int Policies { get; set; } = 10_000;

    /// <summary>Wrong tokens of an address in a minute; beyond it they are answered 429.</summary>
    /// <remarks>Default 60, 1 – 1,000,000. A right one is let in all the same: who shares an address must not be able to lock others out.</remarks>
    [Range(1, 1_000_000)]
    public int WrongTokensPerMinute { get; set; } = 60;

    /// <summary>The answer to what is too much.</summary>
    /// <param name="bound">The setting that is reached.</param>
    /// <param name="detail">What is too much, and what to do.</param>
    public static ProblemHttpResult Refusal(HttpResponse response, string bound, string detail)
    {
        response.Headers.RetryAfter = "1";
        return Problem.Of(ProblemTypes.TooManyRequests, $"{detail} ({Section}:{bound})", ("limit", bound));
    }
}
