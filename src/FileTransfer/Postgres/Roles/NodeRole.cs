using System.Security.Cryptography;

namespace FileTransfer.Postgres.Roles;

/// <summary>Makes the role of the database that one node connects as: no superuser, and its own to take back. <c>node_role.sql</c> says what it may do.</summary>
internal static class NodeRole
{
    /// <summary>Twice what a node with 4 lanes opens at most: one that starts again does not wait for the end of its former sessions.</summary>
    public const int Connections = 60;

    /// <summary>What PostgreSQL keeps of a name.</summary>
    private const int LongestName = 63;

    public const string NameForm = "1–63 of A-Z a-z 0-9 . _ -";

    private const int Iterations = 4096;

    public static bool IsName(string text) => text.Length <= LongestName && NodeId.FromText(text) is not null;

    public static string NewPassword() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    /// <summary>Makes the role in the connection's database, or gives it another password. What else the schema's owner made there becomes the nodes'.</summary>
    /// <param name="admin">A superuser, or a role that may make roles and owns the database.</param>
    /// <param name="limit">Sessions at most; null = as many as the server has.</param>
    /// <exception cref="PostgresException">It may not, or a role of this name is somebody else's.</exception>
    public static async Task CreateAsync(
        NpgsqlConnection admin,
        string name,
        string password,
        int? limit,
        CancellationToken cancellationToken
    )
    {
        if (!IsName(name))
        {
            throw new ArgumentException($"A role's name has {NameForm}.", nameof(name));
        }

        // No value has a quote in it.
        var sql = Script
            .Replace(":\"role\"", $"\"{name}\"", StringComparison.Ordinal)
            .Replace(":'role'", $"'{name}'", StringComparison.Ordinal)
            .Replace(":'verifier'", $"'{Verifier(password)}'", StringComparison.Ordinal)
            .Replace(":connections", (limit ?? -1).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await using var transaction = await admin.BeginTransactionAsync(cancellationToken);
        await admin.ExecuteAsync(sql, null, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>What the server keeps of a password (RFC 5802), so that the password itself is neither sent to it nor in its log.</summary>
    private static string Verifier(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, HashAlgorithmName.SHA256, 32);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        return $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}";
    }

    private static string Script
    {
        get
        {
            using var reader = new StreamReader(typeof(NodeRole).Assembly.GetManifestResourceStream("node_role.sql")!);
            return reader.ReadToEnd();
        }
    }
}
