using System.Text.Json.Serialization;
using FileTransfer.Bandwidth;

namespace FileTransfer.Serving;

public static class ServingRegistration
{
    public static void AddServing(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<StoredContents>();
        builder.Services.AddSingleton<ContentDigests>();
        builder.Services.AddSingleton<ContentNames>();
        builder.Services.AddSingleton<ContentElsewhere>();
        builder.Services.AddSingleton<ContentDelivery>();
        builder.Services.AddSingleton(services =>
            ActivatorUtilities.CreateInstance<EgressBandwidth>(services, services.GetRequiredService<TransferLimits>().Upload)
        );
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Add(ServingJson.Default));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BatchRequest))]
internal sealed partial class ServingJson : JsonSerializerContext;
