namespace FileTransfer.Identity.Signing;

/// <summary>What a node signs with, and the key that it signed with before.</summary>
/// <param name="Former">Null before the first rotation.</param>
/// <param name="Rotation">By the former key over the current one (<see cref="PublicKey.Info"/>); null where there is no former one.</param>
public sealed record NodeKeys(NodeKey Current, PublicKey? Former, byte[]? Rotation)
{
    /// <summary>The one that signs first.</summary>
    public IReadOnlyList<PublicKey> Public { get; } = Former is null ? [Current.Public] : [Current.Public, Former];

    public static NodeKeys Create() => new(NodeKey.Create(), null, null);

    /// <summary>A new key, to which the one that signs now testifies.</summary>
    public NodeKeys Rotate()
    {
        var next = NodeKey.Create();
        return new NodeKeys(next, Current.Public, Current.Sign(next.Public.Info));
    }
}
