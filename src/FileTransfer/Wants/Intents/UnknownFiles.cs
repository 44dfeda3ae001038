using FileTransfer.Cluster;
using FileTransfer.Downloads.Sources;
using FileTransfer.Feed;

namespace FileTransfer.Wants.Intents;

/// <summary>Makes files of this cluster that somebody asks for and that it does not know, where a source outside has their metadata.</summary>
internal sealed class UnknownFiles(OutsideMetadata outside, FileCommands commands)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <returns>Why it is not known, one for each who was asked; null where it is registered now.</returns>
    public async Task<IReadOnlyList<string>?> RegisterAsync(FileKey key, CancellationToken cancellationToken)
    {
        var (metadata, answers) = await outside.FindSoonAsync(key, _patience, cancellationToken);
        if (metadata is null)
        {
            return answers;
        }

        try
        {
            await commands.ClaimAsync([(key, metadata)], [], cancellationToken);
        }
        catch (NotLeadingException)
        {
            // It stopped leading in between: registered as at any other node.
            await commands.ClaimAsync([(key, metadata)], [], cancellationToken);
        }

        return null;
    }
}
