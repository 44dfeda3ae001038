namespace FileTransfer.Catalog;

/// <summary>How much a lane takes in one claim: the first file whatever its size, and more while they stay small together.</summary>
/// <param name="Files">So many at the most; 0 = none.</param>
/// <param name="Bytes">Content of all of them, where there is more than one.</param>
public readonly record struct ClaimRoom(int Files, long Bytes)
{
    public static ClaimRoom None => default;

    public static ClaimRoom One => new(1, 0);
}
