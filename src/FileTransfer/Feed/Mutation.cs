namespace FileTransfer.Feed;

public enum MutationKind
{
    Add,
    Remove,
}

/// <summary>An entry of the feed: the file key was added or removed. Its bin is the key's first four bits.</summary>
/// <param name="Sequence">From 1, without gaps, in the order of commits within its bin.</param>
public sealed record Mutation(int Bin, long Sequence, MutationKind Kind, FileKey Key);
