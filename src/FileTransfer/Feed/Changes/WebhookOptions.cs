using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Feed.Changes;

/// <summary>Who is told of what changes in the cluster. Section <c>FileTransfer</c>.</summary>
public sealed class WebhookOptions
{
    public const string Section = "FileTransfer";

    public static readonly IReadOnlyList<string> Changes = ["stored", "removed"];

    public static readonly IReadOnlyList<string> Others =
    [
        ClusterEventResource.Failed,
        ClusterEventResource.InStep,
        ClusterEventResource.LeaderChanged,
    ];

    /// <summary>The leader tells them; so they are the same at every node.</summary>
    /// <remarks>Default none.</remarks>
    public IList<WebhookEntry> Webhooks { get; } = [];

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        for (var i = 0; i < Webhooks.Count; i++)
        {
            if (Webhooks.Take(i).Any(earlier => earlier.Url == Webhooks[i].Url))
            {
                yield return $"{Section}:Webhooks:{i}:Url is that of an earlier one; write each once.";
            }

            for (var j = 0; j < Webhooks[i].Events.Count; j++)
            {
                if (!Changes.Concat(Others).Contains(Webhooks[i].Events[j]))
                {
                    yield return $"{Section}:Webhooks:{i}:Events:{j} is '{Webhooks[i].Events[j]}'; write stored, removed, failed, inStep or leaderChanged.";
                }
            }
        }
    }
}

/// <summary>One that is told.</summary>
public sealed class WebhookEntry
{
    /// <summary>Absolute http(s) URL that changes are posted to; redirects are not followed.</summary>
    [Required(ErrorMessage = "an absolute URL such as https://hooks.example/files")]
    public Uri? Url { get; set; }

    /// <summary>What the posts are signed with.</summary>
    [Required(ErrorMessage = "at least 16 characters that the receiver knows too")]
    [MinLength(16, ErrorMessage = "at least 16 characters that the receiver knows too")]
    public string Secret { get; set; } = "";

    /// <summary><c>stored</c>, <c>removed</c>, <c>failed</c>, <c>inStep</c>, <c>leaderChanged</c>.</summary>
    /// <remarks>Default the first two.</remarks>
    public IList<string> Events { get; } = [];

    internal bool Tells(string kind) => Events.Count == 0 ? WebhookOptions.Changes.Contains(kind) : Events.Contains(kind);
}
