namespace FileTransfer.Http;

/// <summary>Scopes of a token, and names of the policies that ask for them. <c>admin</c> implies all; <c>write</c>, <c>node</c> imply <c>read</c>.</summary>
public static class AccessScopes
{
    public const string Read = "read";
    public const string Write = "write";
    public const string Node = "node";
    public const string Admin = "admin";

    /// <summary>The claim that a caller has for each of its scopes.</summary>
    public const string Claim = "scope";

    /// <summary>The claim of a caller that is one node, and can be no other.</summary>
    public const string NodeClaim = "node";

    /// <summary>What whoever calls is named where no tokens are asked for.</summary>
    public const string Anonymous = "anonymous";

    public static readonly IReadOnlyList<string> Scopes = [Read, Write, Node, Admin];

    public static IReadOnlyList<string> ImpliedBy(string scope) =>
        scope switch
        {
            Admin => Scopes,
            Write => [Write, Read],
            Node => [Node, Read],
            _ => [scope],
        };
}
