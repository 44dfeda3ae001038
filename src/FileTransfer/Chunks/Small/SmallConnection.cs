using FileTransfer.Chunks.Durability;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Small;

/// <summary>An open handle of <c>small.db</c> with its pragmas set and its statements prepared once.</summary>
public sealed class SmallConnection : IDisposable
{
    private const int WriterCacheKib = 4096;
    private const int ReaderCacheKib = 1024;

    /// <summary>So many pages of the log are written to their places at once.</summary>
    private const int CheckpointPages = 1000;

    /// <summary>Above this size the pages of a file are not looked through at open: damage is found where it is met.</summary>
    private const long LongestCheck = 256L * 1024 * 1024;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private SqliteTransaction? _transaction;

    private SmallConnection(SqliteConnection connection) => _connection = connection;

    /// <summary>Whether what it should hold has all been gathered.</summary>
    internal bool IsFull => Scalar("SELECT value FROM state WHERE name = 'full'") is not null;

    /// <summary>Which tables it has; <see cref="SmallSchema.Version"/> unless it is of a folder that is only read.</summary>
    internal int Version { get; private set; } = SmallSchema.Version;

    /// <summary>Opens the file to write it. Pragmas belong to the handle, so each sets its own.</summary>
    internal static SmallConnection OpenWriter(string path, bool isNew) =>
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
                connection.Execute($"PRAGMA wal_autocheckpoint = {CheckpointPages}");
                connection.Bound(WriterCacheKib);
                connection.Check(path, isNew);
                connection.Upgrade(path);
            }
        );

    /// <summary>Opens the file beside its writer, which has checked it.</summary>
    internal static SmallConnection OpenReader(string path) =>
        Open(
            path,
            SqliteOpenMode.ReadWrite,
            connection =>
            {
                connection.Execute("PRAGMA query_only = true");
                connection.Bound(ReaderCacheKib);
            }
        );

    /// <summary>Opens the file of a folder that no process uses; nothing of it is changed.</summary>
    internal static SmallConnection OpenReadOnly(string path) =>
        Open(
            path,
            SqliteOpenMode.ReadOnly,
            connection =>
            {
                connection.Check(path, isNew: false);
                if (connection.ReadVersion(path) == 0)
                {
                    throw new SqliteException("it holds no tables", 11);
                }
            }
        );

    /// <summary>A write transaction from its first moment: one that began with reading could not become one when another wrote meanwhile.</summary>
    internal SqliteTransaction BeginImmediate() => _transaction = _connection.BeginTransaction(deferred: false);

    /// <summary>Reads more than once of one and the same state, for the price of one look whether there is a newer one.</summary>
    internal T AtOneLook<T>(Func<T> read)
    {
        using (_transaction = _connection.BeginTransaction(deferred: true))
        {
            return read();
        }
    }

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

    /// <summary>The disk does not give a part of the file.</summary>
    internal static bool IsUnreadable(SqliteException e)
    {
        const int CannotRead = 266;
        return e.SqliteExtendedErrorCode == CannotRead;
    }

    internal static IOException Translate(SqliteException e, string path)
    {
        const int ReadOnly = 8;
        const int InputOutput = 10;
        const int Full = 13;
        const int CannotOpen = 14;
        const int NoRoomForIndexOfLog = 4874;
        return
            e.SqliteErrorCode == Full
            || e.SqliteExtendedErrorCode == NoRoomForIndexOfLog
            || (e.SqliteErrorCode == CannotOpen && FreeNames.At(path) == 0)
            ? new DiskFullException(path, e)
            : new IOException($"{path} could not be used: {e.Message}", e)
            {
                // As the system would have said it.
                HResult = e.SqliteErrorCode switch
                {
                    ReadOnly => 30,
                    InputOutput => 5,
                    _ => e.HResult,
                },
            };
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

    /// <summary>Memory for pages does not grow with the file; a page that contradicts itself is found when it is read.</summary>
    private void Bound(int cacheKib)
    {
        Execute($"PRAGMA cache_size = -{cacheKib}");
        Execute("PRAGMA temp_store = memory");
        Execute("PRAGMA cell_size_check = true");
    }

    /// <summary>Looks through the pages of names. Those of bytes are proven when they are read, and cost only the contents on them.</summary>
    private void Check(string path, bool isNew)
    {
        if (isNew || new FileInfo(path).Length > LongestCheck)
        {
            return;
        }

        foreach (
            var table in Query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'bytes'", row => row.GetString(0))
        )
        {
            if (Scalar($"PRAGMA quick_check({table})") is var found and not "ok")
            {
                throw new SqliteException($"the check of its pages says: {found}", 11);
            }
        }
    }

    private int ReadVersion(string path)
    {
        Version = Convert.ToInt32(Scalar("PRAGMA user_version"), CultureInfo.InvariantCulture);
        return Version <= SmallSchema.Version
            ? Version
            : throw new FatalStartException(
                $"{path} has version {Version}, and this program knows only {SmallSchema.Version}. Start the newer program that made it."
            );
    }

    private void Upgrade(string path)
    {
        if (ReadVersion(path) < SmallSchema.Version)
        {
            using var transaction = BeginImmediate();
            using var command = _connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = SmallSchema.From(Version);
            command.ExecuteNonQuery();
            transaction.Commit();
            Version = SmallSchema.Version;
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
