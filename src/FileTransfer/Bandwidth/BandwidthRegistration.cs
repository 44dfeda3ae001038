namespace FileTransfer.Bandwidth;

public static class BandwidthRegistration
{
    public static void AddBandwidth(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TransferLimits>();
        builder.Services.AddSingleton<NodeLimits>();
        builder.Services.AddHostedService<LimitUpkeep>();
    }
}
