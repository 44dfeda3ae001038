using FileTransfer.Feed;
using FileTransfer.Feed.Push;
using FileTransfer.Uploads.Ingest;

namespace FileTransfer.Uploads;

public static class UploadRegistration
{
    public static void AddUploads(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UploadPublisher>();
        builder.Services.AddSingleton<RunningUploads>();
        builder.Services.AddSingleton<QuotaReserves>();
        builder.Services.AddSingleton<PublishHeld>(services =>
        {
            var publisher = services.GetRequiredService<UploadPublisher>();
            return async (file, cancellationToken) =>
                await publisher.TryPublishHeldAsync(file, cancellationToken) is UploadCommit.Stored or UploadCommit.AlreadyStored;
        });
        builder.Services.AddSingleton<PublishShipped>(services =>
        {
            var publisher = services.GetRequiredService<UploadPublisher>();
            return (upstream, page, contents, cancellationToken) =>
                publisher.PublishShippedAsync(
                    upstream,
                    page,
                    [.. contents.Select(one => new ProvenUpload(one.Key, one.Metadata, one.Bytes, null))],
                    cancellationToken
                );
        });
        builder.Services.AddSingleton<FramedUpload>();
        builder.Services.AddSingleton<RawUpload>();
        builder.Services.AddSingleton<BatchUpload>();
        builder.Services.AddSingleton<FolderReader>();
        builder.Services.AddSingleton<IngestTable>();
        builder.Services.AddSingleton<IngestPublisher>();
        builder.Services.AddSingleton<IngestStatus>();
        builder.Services.AddSingleton<WatchedFolders>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WatchedFolders>());
    }
}
