using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Chunks.Small;

namespace FileTransfer.Chunks;

public static class ChunksRegistration
{
    public static void AddChunks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services =>
        {
            var options = services.GetRequiredService<IOptions<StoreOptions>>().Value;
            return new ChunkStore(
                options.DataDirectory,
                new FreeSpaceFloor(options.Store.FreeSpaceFloorBytes),
                services.GetRequiredService<ILogger<ChunkStore>>()
            )
            {
                ProofPeriod = options.Store.ProofPeriod,
            };
        });
        builder.Services.AddSingleton<DiskPressure>();
        builder.Services.AddSingleton<NodeFile>();
        builder.Services.AddSingleton<NodeKeyFile>();
        builder.Services.AddSingleton<FeedHistory>();
        builder.Services.AddSingleton<FolderLedger>();
        builder.Services.AddHostedService<SmallContentMover>();
    }
}
