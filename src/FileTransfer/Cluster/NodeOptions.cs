using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Cluster;

/// <summary>What part this node takes in its cluster.</summary>
public enum NodeRole
{
    /// <summary>Contends for leadership, follows while another node leads.</summary>
    Auto,

    /// <summary>Never leads.</summary>
    Follower,

    /// <summary>Is alone: leads itself and has no followers.</summary>
    Standalone,
}

/// <summary>Who this node is. Section <c>FileTransfer</c>.</summary>
public sealed class NodeOptions
{
    public const string Section = "FileTransfer";

    private const string Name = "^[A-Za-z0-9._-]{1,64}$";
    private const string NameHint = "1 to 64 letters, digits, '.', '_' or '-'";

    /// <summary>Name of this node, unique in its cluster and the same after every restart, because its replicas are kept under it.</summary>
    /// <remarks>Default: the machine's name. 1 to 64 of <c>A–Z a–z 0–9 . _ -</c>: it appears in paths of logs, lock names and pages.</remarks>
    [Required(ErrorMessage = NameHint)]
    [RegularExpression(Name, ErrorMessage = NameHint)]
    public string NodeId { get; set; } = Environment.MachineName;

    /// <summary>The nodes with the same cluster id in the same database share a leader.</summary>
    /// <remarks>Default <c>default</c>; the same characters as <see cref="NodeId"/>. A database holds one cluster.</remarks>
    [Required(ErrorMessage = NameHint)]
    [RegularExpression(Name, ErrorMessage = NameHint)]
    public string ClusterId { get; set; } = "default";

    /// <summary><c>Auto</c> contends for leadership, <c>Follower</c> never does, <c>Standalone</c> is alone.</summary>
    /// <remarks>Default <c>Auto</c>: any node can take over when the leader dies.</remarks>
    public NodeRole Role { get; set; } = NodeRole.Auto;

    /// <summary>The absolute http(s) URL under which other nodes reach this one.</summary>
    /// <remarks>Default: the first address the server listens on, which is right only where the others see the same address.</remarks>
    public Uri? AdvertisedUrl { get; set; }

    /// <summary>What is wrong with these values, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        if (AdvertisedUrl is { } url && !WrittenUrl.IsPlain(url))
        {
            yield return $"{Section}:AdvertisedUrl is '***'; write an absolute URL such as http://node-a:7070, without a name, a password or a query: everybody is shown it.";
        }
    }

    /// <summary>Whether a node that does not lead passes uploads and removals on to the leader, instead of naming it (421).</summary>
    /// <remarks>Default <c>false</c>: a body that goes through a follower costs its network twice. With the caller's own token.</remarks>
    public bool ForwardWrites { get; set; }

    /// <summary>Goes on with the catalog that is there although the data folder belongs to another, an older, or another node's.</summary>
    /// <remarks>
    /// Default <c>false</c>: such a catalog is refused with exit code 78. Counts for the first join of a process; nothing that no file refers
    /// to is collected afterwards until a person has looked. <c>serve --adopt-catalog</c> sets it.
    /// </remarks>
    public bool AdoptCatalog { get; set; }

    /// <summary>The certificate that this node shows to other nodes and upstreams.</summary>
    public ClientCertificateOptions ClientCertificate { get; set; } = new();

    /// <summary>PEM file of the authority that signs for the other nodes and for upstreams.</summary>
    /// <remarks>Default none: the authorities that the system trusts.</remarks>
    public string? TrustedAuthority { get; set; }

    /// <summary>The bearer token this node shows to the other nodes; theirs must list its hash with scope <c>node</c>.</summary>
    /// <remarks>Default none. A secret: give it by environment (<c>FileTransfer__NodeToken</c>) rather than by a file.</remarks>
    [RegularExpression("^[A-Za-z0-9._~+/=-]+$", ErrorMessage = "letters, digits and any of . _ ~ + / - =, nothing else")]
    public string? NodeToken { get; set; }
}
