namespace FileTransfer.Wants.Intents;

public static class IntentRegistration
{
    public static void AddIntents(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IntentTable>();
        builder.Services.AddSingleton<IntentAnswers>();
        builder.Services.AddSingleton<UnknownFiles>();
        builder.Services.AddHostedService<IntentMaintenance>();
    }
}
