namespace FileTransfer.Wants.Policies;

public static class PolicyRegistration
{
    public static void AddPolicies(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<NodePolicies>();
        builder.Services.AddSingleton<PolicyReview>();
        builder.Services.AddSingleton<PolicyChanges>();
        builder.Services.AddSingleton<MissingFiles>();
    }
}
