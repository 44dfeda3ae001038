namespace FileTransfer.Feed.Pull;

/// <summary>Sequences of a bin that are to be read: those behind one, up to another.</summary>
public sealed record FeedGap(short Bin, long After, long Until);
