using System.Collections.Immutable;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Trust;

/// <summary>All that is listed, and the rotations that are known, as of one moment: who is believed by which keys.</summary>
internal sealed class TrustTable
{
    /// <summary>A node that rotates more often has to be listed anew.</summary>
    public const int MostRotations = 16;

    private readonly ILookup<NodeId, TrustEntry> _entries;
    private readonly ImmutableDictionary<(PeerName, PublicKey Former), KeyRotation> _rotations;

    public TrustTable(IEnumerable<TrustEntry> entries, IEnumerable<KeyRotation> rotations)
        : this(
            entries.ToLookup(entry => entry.Node),
            rotations
                .Where(rotation => rotation.IsProven)
                .DistinctBy(rotation => (rotation.Name, rotation.Former))
                .ToImmutableDictionary(rotation => (rotation.Name, rotation.Former))
        ) { }

    private TrustTable(ILookup<NodeId, TrustEntry> entries, ImmutableDictionary<(PeerName, PublicKey), KeyRotation> rotations) =>
        (_entries, _rotations) = (entries, rotations);

    public IEnumerable<TrustEntry> Entries => _entries.SelectMany(entries => entries);

    public IEnumerable<KeyRotation> Rotations => _rotations.Values;

    public TrustTable With(KeyRotation rotation) => new(_entries, _rotations.Add((rotation.Name, rotation.Former), rotation));

    /// <summary>Whether a node is believed, and by which keys.</summary>
    public TrustVerdict Judge(PeerName name)
    {
        var counting = CountingFor(name.Node, name.Cluster);
        return counting.Count == 0 ? TrustVerdict.Unknown
            : counting.All(entry => entry.Keys.Count == 0) ? TrustVerdict.Revoked
            : new TrustVerdict(TrustStanding.Trusted, Newest(name, [.. counting.SelectMany(entry => entry.Keys).Take(2)]));
    }

    /// <summary>Whether a node is believed that shows these keys.</summary>
    /// <param name="name">Who it says it is.</param>
    /// <param name="shown">The key that it signs with, and the one before that.</param>
    /// <param name="rotation">By the second key over the first one.</param>
    /// <param name="learned">A rotation that is believed from now on; null where there is none.</param>
    public TrustVerdict Judge(PeerName name, IReadOnlyList<PublicKey> shown, byte[]? rotation, out KeyRotation? learned)
    {
        learned = null;
        var known = Judge(name);
        if (!known.IsTrusted || shown.Count == 0 || known.Keys.Contains(shown[0]))
        {
            return known;
        }

        if (
            shown is [var next, var former]
            && rotation is not null
            && known.Keys.Contains(former)
            && !_rotations.ContainsKey((name, former))
            && _rotations.Keys.Count(one => one.Item1 == name) < MostRotations
            && former.HandsOverTo(next, rotation)
        )
        {
            learned = new KeyRotation(name, former, next, rotation);
            return known with { Keys = [next, former] };
        }

        return known with
        {
            Standing = TrustStanding.Conflict,
        };
    }

    /// <summary>How an entry counts.</summary>
    public TrustStanding StandingOf(TrustEntry entry)
    {
        var counting = CountingFor(entry.Node, entry.Cluster);
        return counting.All(one => one.Keys.Count == 0) ? TrustStanding.Revoked
            : counting.Contains(entry) || IsKnown(entry) ? TrustStanding.Trusted
            : TrustStanding.Conflict;

        bool IsKnown(TrustEntry entry) =>
            entry.Cluster is { } cluster
            && Judge(new PeerName(cluster, entry.Node)).Keys is var keys
            && entry.Keys.Any(keys.Contains);
    }

    /// <summary>Those that go before all others: a person's before the configuration's before a node's own, and those that name the cluster before others.</summary>
    /// <param name="node">Of this id.</param>
    /// <param name="cluster">Null for any.</param>
    private List<TrustEntry> CountingFor(NodeId node, string? cluster) =>
        _entries[node]
            .Where(entry => entry.Cluster is null || entry.Cluster == cluster)
            .GroupBy(entry => (entry.Origin, Names: entry.Cluster is not null))
            .MaxBy(group => group.Key)
            ?.ToList()
        ?? [];

    /// <summary>Follows the keys to those that they have handed over to.</summary>
    private IReadOnlyList<PublicKey> Newest(PeerName name, IReadOnlyList<PublicKey> keys)
    {
        for (var steps = 0; steps < MostRotations; steps++)
        {
            var next = keys.Select(key => _rotations.GetValueOrDefault((name, key)))
                .FirstOrDefault(rotation => rotation is not null && !keys.Contains(rotation.Next));
            if (next is null)
            {
                break;
            }

            keys = [next.Next, next.Former];
        }

        return keys;
    }
}
