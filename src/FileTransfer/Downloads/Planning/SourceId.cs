namespace FileTransfer.Downloads.Planning;

/// <summary>Names a source in every text as it is, so it says what it is: <c>node a</c>, <c>share mirror</c>.</summary>
public readonly record struct SourceId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>What can be asked of a source.</summary>
public enum SourceKind
{
    /// <summary>Another follower: chunk hashes and ranges.</summary>
    Node,

    /// <summary>A static share: chunk hashes and ranges.</summary>
    Share,

    /// <summary>The node that leads: chunk hashes and ranges; spared when others have the file and many want it.</summary>
    Leader,

    /// <summary>Whole bodies only, no chunk hashes, no ranges: an older StorageHub node.</summary>
    Stream,
}

/// <summary>A source that is said to have a file.</summary>
/// <param name="IsPartial">It downloads the file itself: it has what it reports.</param>
public readonly record struct SourceHint(SourceId Id, SourceKind Kind, bool IsPartial = false);
