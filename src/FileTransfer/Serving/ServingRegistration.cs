using FileTransfer.Bandwidth;

namespace FileTransfer.Serving;

public static class ServingRegistration
{
    public static void AddServing(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<StoredContents>();
        builder.Services.AddSingleton<ArrivingContents>();
        builder.Services.AddSingleton<PartDelivery>();
        builder.Services.AddSingleton<ContentDigests>();
        builder.Services.AddSingleton<ContentNames>();
        builder.Services.AddSingleton<ContentElsewhere>();
        builder.Services.AddSingleton<ContentDelivery>();
        builder.Services.AddSingleton(services =>
            ActivatorUtilities.CreateInstance<EgressBandwidth>(services, services.GetRequiredService<TransferLimits>().Egress)
        );
    }
}
