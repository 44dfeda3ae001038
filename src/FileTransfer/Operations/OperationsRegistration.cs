namespace FileTransfer.Operations;

public static class OperationsRegistration
{
    public static void AddOperations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<AuditLog>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AuditLog>());
        builder.Services.AddSingleton<Explainer>();
        builder.Services.AddSingleton<NodeEvacuation>();
        builder.Services.AddSingleton<NodeFigures>();
        builder.Services.AddSingleton<NodeHistory>();
        builder.Services.AddHostedService(services => services.GetRequiredService<NodeHistory>());
    }
}
