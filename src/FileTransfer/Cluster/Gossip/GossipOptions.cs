using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Cluster.Gossip;

/// <summary>How this node finds the nodes of other clusters. Section <c>FileTransfer:Gossip</c>.</summary>
public sealed class GossipOptions
{
    public const string Section = "FileTransfer:Gossip";

    /// <summary>Whom to ask first who else is there: absolute http(s) URLs of nodes. A name with several addresses stands for all of them.</summary>
    /// <remarks>Default none: the node answers gossip all the same, and talks to those who come to it and are trusted.</remarks>
    public IList<Uri> Seeds { get; } = [];

    /// <summary>From one round of gossip to the next.</summary>
    /// <remarks>Default 1 s, 100 ms to 1 min. A node that dies is noticed after about five of them.</remarks>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00", ErrorMessage = "00:00:00.1 to 00:01:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether nodes may announce addresses of this machine itself.</summary>
    /// <remarks>Default: where this node listens on such alone. Link-local addresses and those of cloud providers' metadata never are.</remarks>
    public bool? AllowLoopback { get; set; }

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        for (var i = 0; i < Seeds.Count; i++)
        {
            if (!Seeds[i].IsAbsoluteUri || (Seeds[i].Scheme != Uri.UriSchemeHttp && Seeds[i].Scheme != Uri.UriSchemeHttps))
            {
                yield return $"{Section}:Seeds:{i} is '{Seeds[i]}'; write an absolute URL such as http://node-a.example:7070.";
            }
        }
    }
}
