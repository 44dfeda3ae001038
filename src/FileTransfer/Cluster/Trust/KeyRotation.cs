using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Trust;

/// <summary>A node's key hands over to another one.</summary>
/// <param name="Signature">By the former key over the other one.</param>
public sealed record KeyRotation(PeerName Name, PublicKey Former, PublicKey Next, byte[] Signature)
{
    public bool IsProven => Former.HandsOverTo(Next, Signature);
}
