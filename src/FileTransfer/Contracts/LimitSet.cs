namespace FileTransfer.Contracts;

/// <summary>Limits as somebody gave them. What is left out is as configured.</summary>
/// <param name="Requests" example="50">Requests in flight at all sources, 1 to 10000.</param>
/// <param name="RequestsPerSource" example="4">Requests in flight at one source, 1 to 1000.</param>
/// <param name="Connections" example="25">Sources with requests in flight, 1 to 10000.</param>
/// <param name="Download" example="50MiB/s; 08:00-18:00 10MiB/s">Content downloaded per second: a rate, <c>unlimited</c>, or a timetable.</param>
/// <param name="Upload" example="unlimited">Content sent from here per second, likewise.</param>
/// <param name="PerSource">Content downloaded per second from one source, by its name; <c>*</c> stands for all others.</param>
public sealed record LimitSet(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Requests = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? RequestsPerSource = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Connections = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Download = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Upload = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string>? PerSource = null
)
{
    private static readonly IReadOnlyDictionary<string, string> _none = new Dictionary<string, string>();

    /// <summary>What is given here, and the rest from another.</summary>
    public LimitSet Over(LimitSet other) =>
        new(
            Requests ?? other.Requests,
            RequestsPerSource ?? other.RequestsPerSource,
            Connections ?? other.Connections,
            Download ?? other.Download,
            Upload ?? other.Upload,
            PerSource ?? other.PerSource
        );

    /// <summary>Whether both say the same.</summary>
    public bool IsSame(LimitSet other) =>
        this with { PerSource = null } == other with { PerSource = null }
        && (PerSource ?? _none)
            .OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .SequenceEqual((other.PerSource ?? _none).OrderBy(entry => entry.Key, StringComparer.Ordinal));
}
