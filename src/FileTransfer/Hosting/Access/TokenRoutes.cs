namespace FileTransfer.Hosting.Access;

/// <summary>Makes, lists and revokes tokens while the cluster runs.</summary>
internal static class TokenRoutes
{
    private static readonly SearchValues<char> _inNames = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    );

    public static void MapTokens(this IEndpointRouteBuilder routes)
    {
        var tokens = routes
            .MapGroup(Routes.Tokens)
            .RequireAuthorization(AccessScopes.Admin)
            .WithTags("Tokens")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);
        tokens
            .MapGet(
                "",
                async (StoredTokens stored, CancellationToken cancellationToken) =>
                    TypedResults.Ok(new TokensResource(await stored.AllAsync(cancellationToken)))
            )
            .WithSummary("The tokens that were made at run time, without the tokens themselves");
        tokens
            .MapPost("", CreateAsync)
            .WithSummary("Makes a token, which is told this once; every node of the cluster knows it within a moment")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.TokenExists);
        tokens
            .MapDelete("/{name}", RevokeAsync)
            .WithSummary("Revokes a token; its requests under way are cut off at every node within 5 seconds")
            .ProducesProblems(ProblemTypes.TokenUnknown);
    }

    private static async Task<Results<Created<TokenCreated>, ProblemHttpResult>> CreateAsync(
        TokenRequest request,
        StoredTokens stored,
        IOptions<AccessOptions> configured,
        TimeProvider time,
        HttpContext context
    )
    {
        var unknown = request.Scopes?.FirstOrDefault(scope => !AccessScopes.Scopes.Contains(scope, StringComparer.Ordinal));
        if (request.Name is not { } name || name.Length is 0 or > 64 || name.AsSpan().ContainsAnyExcept(_inNames))
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"The name '{Problem.Quote(request.Name ?? "")}' is not one; write 1 to 64 letters, digits, '.', '_' or '-'."
            );
        }

        if (request.Scopes is not { Count: > 0 } scopes || unknown is not null)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"The scopes '{Problem.Quote(unknown ?? "")}' are none; write any of read, write, node, admin."
            );
        }

        IReadOnlyList<string> buckets = request.Buckets ?? [];
        IReadOnlyList<string> owners = request.Owners ?? [];
        if (buckets.Concat(owners).FirstOrDefault(id => !BucketId.TryParse(id, out _)) is { } malformed)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"'{Problem.Quote(malformed)}' is not a bucket or an owner; write its bytes as hex digits."
            );
        }

        if (request.NotAfter <= time.GetUtcNow())
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"notAfter is {request.NotAfter:u}, which has passed; write a later time, or leave it out."
            );
        }

        var by = context.User.Identity?.Name ?? AccessScopes.Anonymous;
        var created =
            configured.Value.Tokens.Any(token => token.Name == name) || name == AccessScopes.Anonymous
                ? null
                : await stored.CreateAsync(
                    name,
                    [.. scopes.Distinct()],
                    IdsOf(buckets),
                    IdsOf(owners),
                    request.NotAfter,
                    by,
                    context.RequestAborted
                );
        return created is null
            ? Problem.Of(
                ProblemTypes.TokenExists,
                $"There is a token '{name}' already; revoke it first, or choose another name.",
                ("name", name)
            )
            : TypedResults.Created(Routes.Of(Routes.Token, name), created);
    }

    private static IReadOnlyList<string> IdsOf(IEnumerable<string> texts) =>
        [.. texts.Select(text => BucketId.TryParse(text, out var id) ? id.ToString() : text)];

    /// <param name="name" example="nightly">The token's name.</param>
    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        string name,
        StoredTokens stored,
        CancellationToken cancellationToken
    ) =>
        await stored.RevokeAsync(name, cancellationToken)
            ? TypedResults.NoContent()
            : Problem.Of(
                ProblemTypes.TokenUnknown,
                $"No token '{Problem.Quote(name)}' was made at run time. One of the configuration ends where it is taken out of FileTransfer:Tokens.",
                ("name", Problem.Quote(name))
            );
}
