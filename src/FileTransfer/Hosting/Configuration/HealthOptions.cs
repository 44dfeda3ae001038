namespace FileTransfer.Hosting.Configuration;

/// <summary>What <c>/health/ready</c> promises. Section <c>FileTransfer:Health</c>.</summary>
public sealed class HealthOptions
{
    public const string Section = "FileTransfer:Health";

    /// <summary>When <c>/health/ready</c> answers 200: <c>Reads</c>, <c>Writes</c> or <c>Healthy</c>.</summary>
    /// <remarks>Default <c>Reads</c>: a node that serves its contents stays behind its load balancer while the database is away.</remarks>
    public ReadyWhen ReadyWhen { get; set; } = ReadyWhen.Reads;
}

/// <summary>What has to work before a node calls itself ready.</summary>
public enum ReadyWhen
{
    /// <summary>The node serves what it has stored.</summary>
    Reads,

    /// <summary>Also, the cluster takes uploads and removals, as <c>/health/cluster</c> says.</summary>
    Writes,

    /// <summary>Nothing at all is wrong: a check that is degraded is enough to refuse.</summary>
    Healthy,
}
