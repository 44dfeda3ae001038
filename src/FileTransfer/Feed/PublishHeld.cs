using FileTransfer.Catalog;

namespace FileTransfer.Feed;

/// <summary>Stores and adds a registered file at the leader whose content is here already, under another key or from an upload that was cut off late.</summary>
/// <returns>False when the content is not here.</returns>
public delegate Task<bool> PublishHeld(FileRecord file, CancellationToken cancellationToken);
