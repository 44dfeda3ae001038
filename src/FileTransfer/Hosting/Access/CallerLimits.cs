using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Hosting.Access;

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

    /// <summary>Wrong tokens of an address in a minute; beyond it they are answered 429 and not written to the audit log.</summary>
    /// <remarks>Default 60, 1 – 1,000,000. A right one is let in all the same: who shares an address must not be able to lock others out.</remarks>
    [Range(1, 1_000_000)]
    public int WrongTokensPerMinute { get; set; } = 60;
}
