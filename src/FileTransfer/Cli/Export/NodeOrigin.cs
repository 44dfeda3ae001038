using FileTransfer.Chunks;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Exports;

namespace FileTransfer.Cli.Export;

/// <summary>The files that a running node has stored.</summary>
internal sealed class NodeOrigin(NodeSet nodes) : IExportOrigin
{
    public async IAsyncEnumerable<ExportFile> FilesAsync(
        ExportFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var stored = new ListFilter(filter.Bucket, Owner: null, filter.Location, "stored");
        await foreach (var file in nodes.Until(cancellationToken).ListAsync(stored))
        {
            yield return FileKey.TryParse(file.Key, out var key)
            && file.ToMetadata() is { } metadata
            && metadata.ComputeKey() == key
                ? new ExportFile(key, metadata)
                : throw new CliException(ExitCode.NotProven, $"A node sent metadata for {file.Key} whose hash is another key.");
        }
    }

    public async Task<ExportFile> FindAsync(FileKey key, CancellationToken cancellationToken) =>
        new(key, await new FileGet(nodes.Until(cancellationToken), key).FindAsync());

    public async Task<bool> HasRemovedAsync(FileKey key, CancellationToken cancellationToken)
    {
        try
        {
            var path = Routes.Of(Routes.File, key);
            return (await nodes.Until(cancellationToken).RunAsync(node => node.GetAsync<FileResource>(path))).IsRemoved;
        }
        catch (NodeProblemException problem) when (problem.Status == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    public async Task<ExportMeans> FetchAsync(
        ExportFile file,
        DownloadTarget target,
        IProgress<long> progress,
        CancellationToken cancellationToken
    )
    {
        await new FileGet(nodes.Until(cancellationToken), file.Key).FetchAsync(target, progress, cancellationToken);
        return ExportMeans.Download;
    }

    public ExportFault FaultOf(Exception fault) =>
        CliConsole.CodeOf(fault) switch
        {
            ExitCode.NotFound or ExitCode.NotComplete => ExportFault.Gone,
            ExitCode.NotProven => ExportFault.NotProven,
            _ => ExportFault.OfAll,
        };
}
