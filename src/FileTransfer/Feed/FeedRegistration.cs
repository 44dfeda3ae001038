namespace FileTransfer.Feed;

public static class FeedRegistration
{
    public static void AddFeed(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<FileLedger>();
        builder.Services.AddSingleton<FeedLag>();
        builder.Services.AddSingleton<FeedReader>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FeedReader>());
        builder.Services.AddSingleton<DueAdds>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DueAdds>());
        builder.Services.AddHostedService<PolicyReviews>();
        builder.Services.AddHostedService<LedgerUpkeep>();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Add(FeedJson.Default));
    }
}
