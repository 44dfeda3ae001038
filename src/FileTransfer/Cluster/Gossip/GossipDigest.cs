using System.Security.Cryptography;

namespace FileTransfer.Cluster.Gossip;

/// <summary>What nodes compare what they know by: the sum of a number for each peer, so that one is counted in or out alone.</summary>
/// <remarks>
/// Only what trusted peers pass on is counted. One that forged a sum of another set could hide no more than it could by keeping silent, for
/// as long as the set stays the same: it need not be stronger than this.
/// </remarks>
internal static class GossipDigest
{
    /// <summary>Parts of the names that are compared one by one where the whole differs.</summary>
    public const int Buckets = 1024;

    /// <summary>Of a name, the same at every node: its last bits say which bucket it is in (FNV-1a, its bits mixed).</summary>
    public static ulong IdOf(PeerName name)
    {
        var id = Add(Add(0xcbf29ce484222325, name.Cluster), name.Node.Value);
        id = (id ^ (id >> 32)) * 0x9e3779b97f4a7c15;
        return id ^ (id >> 32);

        static ulong Add(ulong id, string text)
        {
            foreach (var character in text)
            {
                id = (id ^ character) * 0x100000001b3;
            }

            return id;
        }
    }

    /// <summary>Of which announcement it is.</summary>
    public static UInt128 Of(Announcement announcement) =>
        Hash($"{announcement.Name} {announcement.Generation} {announcement.Version}");

    /// <summary>Odd factors: that two peers change places is seen.</summary>
    public static UInt128 Of(SignedAnnouncement words, PeerLife life) =>
        words.Digest * (((UInt128)(uint)life.Refutations << 3) | ((uint)life.Marks << 1) | 1);

    private static UInt128 Hash(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
