namespace FileTransfer.Contracts;

/// <summary>A cluster that may ship its files here, and how far that is.</summary>
/// <param name="Urls">Where its nodes answer, as it said last.</param>
/// <param name="Epoch">The history of its feed that is applied; null before it greeted this cluster first.</param>
/// <param name="Files">Files that it has.</param>
/// <param name="Lacking">Those of them that this cluster has because of it and whose content the leader does not have stored, though it wants them.</param>
/// <param name="Kept">Files that it did not tell of any more, and that stay here.</param>
public sealed record ShipperResource(
    string Cluster,
    IReadOnlyList<Uri> Urls,
    Guid? Epoch,
    long Files,
    long Lacking,
    long Kept,
    IReadOnlyList<ShipperBinResource> Bins
);

/// <param name="Applied">Every sequence up to it is applied, and acknowledged.</param>
/// <param name="Comparing">It is to tell all files of the bin before it ships mutations.</param>
public sealed record ShipperBinResource(int Bin, long Applied, bool Comparing);
