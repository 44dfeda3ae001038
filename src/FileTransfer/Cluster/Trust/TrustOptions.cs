using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Cluster.Trust;

/// <summary>Whose word counts without being listed.</summary>
public enum TrustMode
{
    /// <summary>That of the nodes that have joined this node's database, by their rows.</summary>
    Listed,

    /// <summary>Nobody's.</summary>
    Strict,
}

/// <summary>Whom this node believes, and lets in by their signature. Section <c>FileTransfer</c>; a change takes effect without a restart.</summary>
public sealed class TrustOptions
{
    public const string Section = "FileTransfer";

    /// <summary>The keys of nodes, beside those that <c>PUT /v1/trust</c> lists. Two of one node may be valid at once.</summary>
    /// <remarks>Default none.</remarks>
    public IList<TrustedNodeOptions> Trust { get; } = [];

    /// <summary><c>Listed</c> trusts the nodes that share this node's database, and those that are listed; <c>Strict</c> these alone.</summary>
    /// <remarks>Default <c>Listed</c>: who can write into the database can do more than a node.</remarks>
    public TrustMode TrustMode { get; set; } = TrustMode.Listed;

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        for (var i = 0; i < Trust.Count; i++)
        {
            var (key, entry) = ($"{Section}:{nameof(Trust)}:{i}", Trust[i]);
            if (Identity.Signing.PublicKey.FromText(entry.PublicKey) is null)
            {
                yield return $"{key}:PublicKey is no key of ECDSA on P-256; write the publicKey of `filetransfer identity show`.";
            }

            if (Trust.Take(i).Count(other => other.NodeId == entry.NodeId && other.Cluster == entry.Cluster) > 1)
            {
                yield return $"{key} is a third key of node '{entry.NodeId}'; two may be valid at once: remove the oldest.";
            }
        }
    }
}

/// <summary>A node whose key is known.</summary>
public sealed class TrustedNodeOptions
{
    private const string Name = "^[A-Za-z0-9._-]{1,64}$";

    /// <summary>The node's <c>FileTransfer:NodeId</c>.</summary>
    [Required(ErrorMessage = "the FileTransfer:NodeId of a node")]
    [RegularExpression(Name, ErrorMessage = "the FileTransfer:NodeId of a node")]
    public string NodeId { get; set; } = "";

    /// <summary>Its <c>FileTransfer:ClusterId</c>.</summary>
    /// <remarks>Default: the node of that id in any cluster.</remarks>
    [RegularExpression(Name, ErrorMessage = "the FileTransfer:ClusterId of a node")]
    public string? Cluster { get; set; }

    /// <summary>Its public key, as <c>filetransfer identity show</c> prints it.</summary>
    [Required(ErrorMessage = "the publicKey of `filetransfer identity show`")]
    public string PublicKey { get; set; } = "";
}
