namespace FileTransfer.Operations;

public static class OperationsRegistration
{
    public static void AddOperations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Explainer>();
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Add(ExplanationJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Add(RetryJson.Default);
        });
    }
}
