using FileTransfer.Feed.Pull;

namespace FileTransfer.Feed.Push;

/// <summary>What a handshake says that is to be done with a bin of a follower.</summary>
public enum ShippingStep
{
    /// <summary>It has all of it, and just the files that are here.</summary>
    InStep,

    /// <summary>It is shipped what follows.</summary>
    CatchUp,

    /// <summary>It is told all files that are here.</summary>
    Rebuild,

    /// <summary>It has more than there ever was here, of the same history: this cluster went back. It is told all files that are here.</summary>
    Ahead,
}

internal static class ShippingSteps
{
    /// <param name="here">The bin, in the history <paramref name="epoch"/>.</param>
    /// <param name="there">What the follower has applied of the history <paramref name="followed"/>; null = of none.</param>
    /// <param name="isOverBudget">It was too far behind for too long.</param>
    public static ShippingStep Decide(Guid epoch, OfferedBin here, Guid? followed, ShipmentPosition there, bool isOverBudget) =>
        followed == epoch && there.Applied > here.Head ? ShippingStep.Ahead
        : there.Comparing || (followed is { } other && other != epoch) ? ShippingStep.Rebuild
        : there.Applied == here.Head ? (there.Digest == here.Digest.ToString() ? ShippingStep.InStep : ShippingStep.Rebuild)
        : isOverBudget || there.Applied + 1 < here.RetainedFrom ? ShippingStep.Rebuild
        : ShippingStep.CatchUp;
}
