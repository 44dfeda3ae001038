using System.Data;

namespace FileTransfer.Catalog;

/// <summary>How statements write and read what the domain has types for.</summary>
public static class CatalogTypes
{
    static CatalogTypes()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new Handler<NodeId>(node => node.Value, value => NodeId.OfRow((string)value)));
        SqlMapper.AddTypeHandler(new Handler<FileKey>(key => key.ToArray(), value => new FileKey((byte[])value)));
        SqlMapper.AddTypeHandler(new Handler<Fingerprint>(content => content.ToArray(), value => new Fingerprint((byte[])value)));
        SqlMapper.AddTypeHandler(new Handler<ByteString>(bytes => bytes.ToArray(), value => new ByteString((byte[])value)));
        // Npgsql reads infinity as the largest DateTime, and its opposite as the smallest, of no kind an offset could be taken from.
        SqlMapper.AddTypeHandler(
            new Handler<DateTimeOffset>(
                time => time.UtcDateTime,
                value =>
                    (DateTime)value == DateTime.MaxValue ? DateTimeOffset.MaxValue
                    : (DateTime)value == DateTime.MinValue ? DateTimeOffset.MinValue
                    : (DateTime)value
            )
        );
    }

    /// <summary>Makes Dapper know them, once in a process.</summary>
    public static void Map() { }

    /// <summary>For <c>= ANY(@keys)</c>.</summary>
    public static byte[][] ToParameter(this IEnumerable<FileKey> keys) => [.. keys.Select(key => key.ToArray())];

    private sealed class Handler<T>(Func<T, object> write, Func<object, T> read) : SqlMapper.TypeHandler<T>
    {
        public override void SetValue(IDbDataParameter parameter, T? value) => parameter.Value = write(value!);

        public override T Parse(object value) => read(value);
    }
}
