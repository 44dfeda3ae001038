using FileTransfer.Cluster;
using FileTransfer.Cluster.Peers;
using FileTransfer.Feed;

namespace FileTransfer.Uploads.Ingest;

/// <summary>Nothing can be published now; it is tried again.</summary>
internal sealed class PublishingWaitsException(string reason, Exception? inner = null) : Exception(reason, inner);

/// <summary>Publishes files where they can be published: here while this node leads, else at the leader as any other uploader does.</summary>
internal sealed class IngestPublisher(UploadPublisher publisher, Leadership leadership, PeerClient peers)
{
    private const int LongestLine = 64 * 1024;
    private static readonly TimeSpan _toAnswer = TimeSpan.FromMinutes(5);

    /// <summary>A file that is refused spoils no other.</summary>
    /// <param name="files">None of them empty.</param>
    /// <returns>Why files were not taken, by their keys.</returns>
    /// <exception cref="PublishingWaitsException">Nobody takes them now; some may have been published.</exception>
    public async Task<IReadOnlyDictionary<FileKey, string>> PublishAsync(
        IReadOnlyList<FolderFile> files,
        CancellationToken cancellationToken
    )
    {
        if (files.Count == 0)
        {
            return new Dictionary<FileKey, string>();
        }

        if (leadership.IsLeading)
        {
            try
            {
                return await PublishHereAsync(files, cancellationToken);
            }
            catch (NotLeadingException)
            {
                // Whoever leads now takes them.
            }
        }

        var leader =
            await leadership.FindLeaderAsync(cancellationToken)
            ?? throw new PublishingWaitsException("no node leads the cluster");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_toAnswer);
        try
        {
            return await HandOverAsync(files, leader, patience.Token);
        }
        catch (Exception e)
            when (!cancellationToken.IsCancellationRequested
                && e is HttpRequestException or IOException or JsonException or OperationCanceledException
            )
        {
            throw new PublishingWaitsException(
                $"the leader '{leader.Node}' at {leader.Url.OriginalString} does not take them: {e.Message}",
                e
            );
        }
    }

    private async Task<IReadOnlyDictionary<FileKey, string>> PublishHereAsync(
        IReadOnlyList<FolderFile> files,
        CancellationToken cancellationToken
    )
    {
        var published = await publisher.PublishAsync([.. files.Select(file => file.Upload!)], cancellationToken);
        return published
            .Commits.Where(commit => commit.Value is UploadCommit.Removed or UploadCommit.TooMuch)
            .ToDictionary(
                commit => commit.Key,
                commit =>
                    published.TooMuch.TryGetValue(commit.Key, out var quota)
                        ? quota.Reason
                        : "it was removed while it was published"
            );
    }

    private async Task<IReadOnlyDictionary<FileKey, string>> HandOverAsync(
        IReadOnlyList<FolderFile> files,
        LeaderRecord leader,
        CancellationToken cancellationToken
    )
    {
        if (!await peers.TrustsAsync(leader.Url, cancellationToken))
        {
            throw new PublishingWaitsException(
                $"the leader '{leader.Node}' at {leader.Url.OriginalString} does not prove that it knows this node: give it the hash of its FileTransfer:NodeToken"
            );
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(leader.Url, Routes.Batch))
        {
            Content = new FolderBody(files),
        };
        using var response = await peers.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new PublishingWaitsException(
                response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                    ? $"the leader '{leader.Node}' does not let this node upload: give its FileTransfer:NodeToken the scope write there"
                    : $"the leader '{leader.Node}' answers {(int)response.StatusCode} to what is handed over"
            );
        }

        var lines = PipeReader.Create(await response.Content.ReadAsStreamAsync(cancellationToken));
        var refused = new Dictionary<FileKey, string>();
        foreach (var file in files)
        {
            var line =
                await Ndjson.ReadLineAsync(lines, SparseJson.Default.BatchLine, LongestLine, cancellationToken)
                ?? throw new PublishingWaitsException($"the leader '{leader.Node}' ended its answer early");
            switch (line.Status)
            {
                case < StatusCodes.Status400BadRequest:
                    break;
                case < StatusCodes.Status500InternalServerError and not StatusCodes.Status421MisdirectedRequest:
                    refused[file.Upload!.Key] = line.Problem?.Detail ?? $"the leader answers {line.Status}";
                    break;
                default:
                    throw new PublishingWaitsException(
                        $"the leader '{leader.Node}' answers {line.Status}: {line.Problem?.Detail}"
                    );
            }
        }

        return refused;
    }

    /// <summary>Files as a batch.</summary>
    private sealed class FolderBody : HttpContent
    {
        private readonly IReadOnlyList<FolderFile> _files;

        public FolderBody(IReadOnlyList<FolderFile> files)
        {
            _files = files;
            Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(FileBatch.MediaType);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream,
            TransportContext? context,
            CancellationToken cancellationToken
        )
        {
            foreach (var file in _files)
            {
                var description = FileDescription.Of(file.Upload!.Metadata);
                var json = JsonSerializer.SerializeToUtf8Bytes(description, SparseJson.Default.FileDescription);
                await stream.WriteAsync(FileBatch.HeaderOf(json, file.Entry.Size), cancellationToken);
                if (file.Large is { } large)
                {
                    await using var copy = new FileStream(
                        large.Path,
                        FileMode.Open,
                        FileAccess.Read,
                        FileShare.ReadWrite | FileShare.Delete
                    );
                    await copy.CopyToAsync(stream, cancellationToken);
                }
                else
                {
                    await stream.WriteAsync(file.Upload.Bytes!.Bytes, cancellationToken);
                }
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
