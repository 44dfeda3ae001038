using Microsoft.AspNetCore.Authorization;

namespace FileTransfer.Hosting.Access;

internal static class ScopePolicies
{
    public static void AddAccess(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TokenTable>();
        builder.Services.AddSingleton<OpenEndpoints>();
        builder.Services.AddSingleton<WrongTokens>();
        builder.Services.AddSingleton<StoredTokens>();
        builder.Services.AddHostedService(services => services.GetRequiredService<StoredTokens>());
        builder.Services.AddSingleton<RevokedRequests>();
        builder.Services.AddSingleton<SignedCallers>();
        builder.Services.AddTransient<BearerTokens>();
        builder.Services.AddAuthenticationCore(schemes =>
        {
            schemes.DefaultScheme = BearerTokens.SchemeName;
            schemes.AddScheme<BearerTokens>(BearerTokens.SchemeName, displayName: null);
        });
        builder.Services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessAnswers>();
        var authorization = builder.Services.AddAuthorizationBuilder();
        foreach (var scope in AccessScopes.Scopes)
        {
            authorization.AddPolicy(scope, PolicyOf(scope));
        }

        // A route that forgets to say who may call it is not open to everyone.
        authorization.SetFallbackPolicy(PolicyOf(AccessScopes.Read));
    }

    private static AuthorizationPolicy PolicyOf(string scope) =>
        new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireClaim(AccessScopes.Claim, scope).Build();
}
