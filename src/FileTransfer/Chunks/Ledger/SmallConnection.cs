using FileTransfer.Chunks.Durability;
using FileTransfer.Postgres;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Ledger;

/// <summary>An open handle of <c>small.db</c> with its pragmas set and its statements prepared once.</summary>
public sealed class SmallConnection : IDisposable
{
    private const int SchemaVersion = 1;

    /// <summary>Above this size the pages of a file are not looked through at open: damage is found where it is met.</summary>
    private const long LongestCheck = 256L * 1024 * 1024;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private SqliteTransaction? _transaction;

    private SmallConnection(SqliteConnection connection) => _connection = connection;

    /// <summary>Whether what it should hold has all been gathered.</summary>
    internal bool IsFull => Scalar("SELECT value FROM state WHERE name = 'full'") is not null;

    /// <summary>Opens the file. Pragmas belong to the handle, so each sets its own.</summary>
    internal static SmallConnection Open(string path, bool isNew) =>
        Open(
            path,
            isNew ? SqliteOpenMode.ReadWriteCreate : SqliteOpenMode.ReadWrite,
            connection =>
            {
                if (isNew)
                {
                    // Before the journal's mode: afterwards it does nothing.
                    connection.Execute("PRAGMA auto_vacuum = incremental");
                }

                connection.Execute("PRAGMA journal_mode = wal");
                connection.Execute("PRAGMA synchronous = full");
                connection.Execute("PRAGMA temp_store = memory");
                connection.Check(path, isNew);
            }
        );

    /// <summary>Opens the file of a folder that no process uses; nothing of it is changed.</summary>
    internal static SmallConnection OpenReadOnly(string path) =>
        Open(path, SqliteOpenMode.ReadOnly, connection => connection.Check(path, isNew: false));

    /// <summary>A write transaction from its first moment: one that began with reading could not become one when another wrote meanwhile.</summary>
    internal SqliteTransaction BeginImmediate() => _transaction = _connection.BeginTransaction(deferred: false);

    /// <summary>A statement that is prepared once; its values are given in the order of <c>$1</c>, <c>$2</c>, ….</summary>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => Command(sql, values).ExecuteNonQuery();

    public object? Scalar(string sql, params ReadOnlySpan<object?> values) =>
        Command(sql, values).ExecuteScalar() is { } value and not DBNull ? value : null;

    /// <summary>All rows at once, so that no reader stays open.</summary>
    public IReadOnlyList<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        var rows = new List<T>();
        using var reader = Command(sql, values).ExecuteReader();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    public void Dispose()
    {
        foreach (var command in _commands.Values)
        {
            command.Dispose();
        }

        _connection.Dispose();
    }

    /// <summary>What another try will not mend: the file is not a database, or its pages contradict each other.</summary>
    internal static bool IsDamage(SqliteException e)
    {
        const int Corrupt = 11;
        const int NotADatabase = 26;
        const int ShortRead = 522;
        return e.SqliteErrorCode is Corrupt or NotADatabase || e.SqliteExtendedErrorCode == ShortRead;
    }

    internal static IOException Translate(SqliteException e, string path)
    {
        const int Full = 13;
        const int CannotOpen = 14;
        const int NoRoomForIndexOfLog = 4874;
        return
            e.SqliteErrorCode == Full
            || e.SqliteExtendedErrorCode == NoRoomForIndexOfLog
            || (e.SqliteErrorCode == CannotOpen && FreeNames.At(path) == 0)
            ? new DiskFullException(path, e)
            : new IOException($"{path} could not be used: {e.Message}", e);
    }

    private static SmallConnection Open(string path, SqliteOpenMode mode, Action<SmallConnection> prepare)
    {
        var settings = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            // A pooled handle keeps what its former user left in it.
            Pooling = false,
            DefaultTimeout = 10,
        };
        var connection = new SmallConnection(new SqliteConnection(settings.ConnectionString));
        try
        {
            connection._connection.Open();
            prepare(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Check(string path, bool isNew)
    {
        if (!isNew && new FileInfo(path).Length <= LongestCheck && Scalar("PRAGMA quick_check(1)") is var found and not "ok")
        {
            throw new SqliteException($"the check of its pages says: {found}", 11);
        }

        var version = Convert.ToInt32(Scalar("PRAGMA user_version"), CultureInfo.InvariantCulture);
        if (version == 0 && _connection.ConnectionString.Contains("ReadOnly", StringComparison.Ordinal))
        {
            throw new SqliteException("it holds no tables", 11);
        }

        if (version == 0)
        {
            using var transaction = BeginImmediate();
            using var command = _connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = LedgerSchema.Sql + $"; PRAGMA user_version = {SchemaVersion}";
            command.ExecuteNonQuery();
            transaction.Commit();
        }
        else if (version > SchemaVersion)
        {
            throw new FatalStartException(
                $"{path} has version {version}, and this program knows only {SchemaVersion}. Start the newer program that made it."
            );
        }
    }

    private SqliteCommand Command(string sql, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++)
            {
                command.Parameters.Add(
                    new SqliteParameter { ParameterName = "$" + (i + 1).ToString(CultureInfo.InvariantCulture) }
                );
            }

            _commands.Add(sql, command);
        }

        command.Transaction = _transaction?.Connection is null ? null : _transaction;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = Stored(values[i]);
        }

        return command;
    }

    /// <summary>Ids and names are bytes, times milliseconds since 1970.</summary>
    private static object Stored(object? value) =>
        value switch
        {
            null => DBNull.Value,
            FileKey key => key.ToArray(),
            Fingerprint fingerprint => fingerprint.ToArray(),
            ByteString bytes => bytes.ToArray(),
            Guid id => id.ToByteArray(),
            DateTimeOffset at => at.ToUnixTimeMilliseconds(),
            _ => value,
        };
}
