namespace FileTransfer.Cli.Output;

/// <summary>Sizes as people write them: <c>4096</c>, <c>64KiB</c>, <c>100MB</c>, <c>1.5GiB</c>.</summary>
public static class ByteSize
{
    public const string Form = "a size of 1 byte to 1TiB such as 4096, 64KiB, 100MB or 1GiB";

    private const long Most = 1L << 40;

    private static readonly (string Name, double Bytes)[] _units =
    [
        ("TiB", 1L << 40),
        ("GiB", 1L << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1e9),
        ("MB", 1e6),
        ("kB", 1e3),
        ("B", 1),
        ("", 1),
    ];

    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        foreach (var (name, unit) in _units)
        {
            if (text.EndsWith(name, StringComparison.Ordinal))
            {
                var isNumber = double.TryParse(
                    text[..^name.Length],
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var number
                );
                var size = Math.Round(number * unit);
                bytes = isNumber && size is >= 1 and <= Most ? (long)size : 0;
                return bytes > 0;
            }
        }

        return false;
    }
}
