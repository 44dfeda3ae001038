namespace FileTransfer.Operations;

public static class OperationsRegistration
{
    public static void AddOperations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Explainer>();
        builder.Services.AddSingleton<NodeFigures>();
    }
}
