using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Bandwidth;

/// <summary>What this node's transfers may use. Section <c>FileTransfer:Limits</c>; a change of the file counts at once.</summary>
/// <remarks>
/// Rates are timetables: <c>10MiB/s</c>, or <c>50MiB/s; 08:00-18:00 10MiB/s</c>, in the local time of the machine; <c>unlimited</c>.
/// </remarks>
public sealed class LimitOptions
{
    public const string Section = "FileTransfer:Limits";

    /// <summary>In <see cref="PerSource"/>: every source without an entry of its own.</summary>
    public const string AnySource = "*";

    /// <summary>Requests in flight at all sources.</summary>
    /// <remarks>Default 50, 1–10000.</remarks>
    [Range(1, 10_000)]
    public int Requests { get; set; } = 50;

    /// <summary>Requests in flight at one source.</summary>
    /// <remarks>Default 4, 1–1000: more win nothing, and cost the source a connection each.</remarks>
    [Range(1, 1000)]
    public int RequestsPerSource { get; set; } = 4;

    /// <summary>Sources with requests in flight.</summary>
    /// <remarks>Default 25, 1–10000.</remarks>
    [Range(1, 10_000)]
    public int Connections { get; set; } = 25;

    /// <summary>Content downloaded, per second, from all sources.</summary>
    /// <remarks>Default <c>unlimited</c>.</remarks>
    public string Download { get; set; } = BandwidthSchedule.UnlimitedText;

    /// <summary>Content sent from here, per second, to all nodes and clients, shared evenly.</summary>
    /// <remarks>Default <c>unlimited</c>.</remarks>
    public string Upload { get; set; } = BandwidthSchedule.UnlimitedText;

    /// <summary>Content downloaded, per second, from one source: <c>node a</c> or <c>share mirror</c>, or only its name, or <c>*</c> for all others.</summary>
    /// <remarks>Default none.</remarks>
    public IDictionary<string, string> PerSource { get; set; } = new Dictionary<string, string>();

    public LimitSet ToLimits() => new(Requests, RequestsPerSource, Connections, Download, Upload, PerSource.AsReadOnly());

    /// <summary>What cannot be read, and what to write instead.</summary>
    public IEnumerable<string> Faults() =>
        ToLimits().Faults().Select(fault => $"{Section}:{fault.Member} is not valid: {fault.Text}.");
}
