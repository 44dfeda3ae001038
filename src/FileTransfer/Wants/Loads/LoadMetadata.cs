using FileTransfer.Downloads.Sources;

namespace FileTransfer.Wants.Loads;

/// <summary>Asks the sources outside the cluster for the metadata of files that it does not know.</summary>
internal sealed class LoadMetadata(LoadTable table, OutsideMetadata outside)
{
    private const int AtOnce = 16;
    private const int Page = 512;

    /// <summary>Asks for all that a load lacks, each once in a round. What is found and what is not is written down one by one.</summary>
    public async Task AskAsync(LoadRow load, CancellationToken cancellationToken)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        while (await table.UndescribedAsync(load, Page, cancellationToken) is { Count: > 0 } keys)
        {
            await Parallel.ForEachAsync(
                keys,
                parallel,
                async (key, token) =>
                {
                    var (metadata, answers) = await outside.FindAsync(key, token);
                    var json = metadata is null
                        ? null
                        : JsonSerializer.Serialize(FileRegistration.Of(metadata), SparseJson.Default.FileRegistration);
                    var reason = answers.Count == 0 ? "nobody knows its metadata" : string.Join("; ", answers);
                    await table.DescribeAsync(load, key, json, json is null ? reason : null, token);
                }
            );
        }
    }
}
