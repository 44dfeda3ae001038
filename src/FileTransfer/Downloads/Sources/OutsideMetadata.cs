using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;

namespace FileTransfer.Downloads.Sources;

/// <summary>Asks the sources outside the cluster for the metadata of files that it does not know. The key proves what they say.</summary>
public sealed class OutsideMetadata(SourceRegistry sources, PeerFiles peers, SourceAttemptHistory history)
{
    /// <summary>Asks one source after the other: who has a file's content as a rule has its metadata, too.</summary>
    /// <returns>The metadata, or why nobody had it.</returns>
    public async Task<(FileMetadata? Metadata, IReadOnlyList<string> Answers)> FindAsync(
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        var answers = new List<string>();
        foreach (var source in sources.Outside())
        {
            try
            {
                return (await AskAsync(source, key, cancellationToken), answers);
            }
            catch (SourceException fault)
            {
                answers.Add(fault.Message);
            }
        }

        return (null, answers);
    }

    /// <summary>Asks all of them at once, for somebody who waits.</summary>
    /// <returns>The metadata, or why nobody had it.</returns>
    public async Task<(FileMetadata? Metadata, IReadOnlyList<string> Answers)> FindSoonAsync(
        FileKey key,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        enough.CancelAfter(patience);
        var answers = new List<string>();
        try
        {
            await foreach (var asked in Task.WhenEach(sources.Outside().Select(source => AskAsync(source, key, enough.Token))))
            {
                try
                {
                    return (await asked, answers);
                }
                catch (SourceException fault)
                {
                    answers.Add(fault.Message);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            answers.Add($"the others did not answer within {patience.TotalSeconds:0} s");
        }
        finally
        {
            await enough.CancelAsync();
        }

        return (null, answers);
    }

    private async Task<FileMetadata> AskAsync(Source source, FileKey key, CancellationToken cancellationToken)
    {
        try
        {
            var metadata = await source.FetchMetadataAsync(key, cancellationToken);
            if (NodeSource.PeerOf(source.Id.Value) is { } peer)
            {
                peers.Note(peer, key, has: true);
            }

            return metadata;
        }
        catch (SourceException fault)
        {
            history.Record(key, source.Id.Value, fault.Message);
            throw;
        }
    }
}
