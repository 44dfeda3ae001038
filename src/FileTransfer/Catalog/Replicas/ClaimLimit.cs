namespace FileTransfer.Catalog.Replicas;

/// <summary>Where in the queue a claim begins.</summary>
public enum ClaimFrom
{
    /// <summary>The order of the queue: what was wanted first.</summary>
    Oldest,

    /// <summary>What was wanted last, of the highest priority that is there: a long backlog does not hold it up.</summary>
    Newest,

    /// <summary>What no node is known to have, and is due to be looked for at sources that do not say what they have.</summary>
    Unprovided,
}

/// <summary>How much a lane takes in one claim: the first file whatever its size, and more while they stay small together.</summary>
/// <param name="Files">So many at the most; 0 = none.</param>
/// <param name="Bytes">Content of all of them, where there is more than one.</param>
/// <param name="From">Where it begins.</param>
/// <param name="AsksShares">
/// Whether this node has sources that do not say what they have. What no node has is then claimed by <see cref="ClaimFrom.Unprovided"/>, and in
/// its turn where somebody asks for it; without such sources it is not claimed at all.
/// </param>
public readonly record struct ClaimLimit(int Files, long Bytes, ClaimFrom From = ClaimFrom.Oldest, bool AsksShares = false)
{
    public static ClaimLimit None => default;

    public static ClaimLimit One => new(1, 0);
}
