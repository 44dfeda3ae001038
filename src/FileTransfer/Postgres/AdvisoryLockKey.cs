using System.Security.Cryptography;

namespace FileTransfer.Postgres;

/// <summary>The key of a session-level advisory lock: PostgreSQL's one-<c>bigint</c> form, the only one used here.</summary>
/// <remarks>The two-<c>int</c> form is another key space (<c>objsubid = 2</c>), so it has no constructor.</remarks>
public readonly record struct AdvisoryLockKey(long Value)
{
    /// <summary>The upper half, as <c>pg_locks.classid</c> shows it.</summary>
    public uint High => (uint)((ulong)Value >> 32);

    /// <summary>The lower half, as <c>pg_locks.objid</c> shows it.</summary>
    public uint Low => (uint)Value;

    /// <summary>The key that a name stands for: the first eight bytes of its SHA-256, big-endian.</summary>
    public static AdvisoryLockKey FromName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new AdvisoryLockKey(BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name))));
    }

    /// <summary>A SQL condition that is true only while the session that evaluates it holds the lock.</summary>
    /// <param name="keyExpression">SQL of type <c>bigint</c>: a column, or a parameter such as <c>@key</c>. Never text from outside.</param>
    public static string HeldByThisSession(string keyExpression) => HeldBy(keyExpression, "pg_backend_pid()");

    /// <summary>The same of the session of another backend; <c>held_lock.pid</c> means any.</summary>
    /// <remarks>
    /// It reads the server's own lock table, not this process's memory of it: a connection that was pooled, re-opened or moved to
    /// another backend by a proxy does not pass. Advisory locks belong to a database, and shared ones (<c>ShareLock</c>) prove nothing.
    /// The table is read once a statement, however many rows are judged by it.
    /// </remarks>
    public static string HeldBy(string keyExpression, string pidExpression) =>
        $"({keyExpression}) = ANY ({AllOf(pidExpression)})";

    /// <summary>A SQL expression: the keys of all locks that the session holds which evaluates it, as an array.</summary>
    public static string AllOfThisSession => AllOf("pg_backend_pid()");

    private static string AllOf(string pidExpression) =>
        $"""
            ARRAY(
                SELECT (held_lock.classid::bigint << 32) | held_lock.objid::bigint
                FROM pg_catalog.pg_locks AS held_lock
                WHERE held_lock.locktype = 'advisory'
                  AND held_lock.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                  AND held_lock.objsubid = 1
                  AND held_lock.mode = 'ExclusiveLock'
                  AND held_lock.pid = {pidExpression}
                  AND held_lock.granted)
            """;

    /// <summary>The two halves as <c>pg_locks</c> shows them, to be found there by eye.</summary>
    public override string ToString() => $"{High}/{Low}";
}
