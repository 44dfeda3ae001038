namespace FileTransfer.Bandwidth;

/// <summary>Bytes per second, at least 1 KiB. Written <c>10MiB/s</c>, <c>500kB/s</c>, <c>100Mbit/s</c>, <c>2048B/s</c>.</summary>
public readonly record struct ByteRate
{
    /// <summary>Below it a transfer only holds its connection.</summary>
    public const long Least = 1024;

    /// <summary>What no limit can be told from.</summary>
    public const long Most = 1L << 40;

    public const string Form = "a rate of 1KiB/s to 1TiB/s such as 10MiB/s, 500kB/s or 100Mbit/s";

    // Case counts: Mb is anyone's guess.
    private static readonly (string Name, double Bytes)[] _units =
    [
        ("TiB/s", 1L << 40),
        ("GiB/s", 1L << 30),
        ("MiB/s", 1 << 20),
        ("KiB/s", 1 << 10),
        ("GB/s", 1e9),
        ("MB/s", 1e6),
        ("kB/s", 1e3),
        ("KB/s", 1e3),
        ("Gbit/s", 1e9 / 8),
        ("Mbit/s", 1e6 / 8),
        ("kbit/s", 1e3 / 8),
        ("B/s", 1),
    ];

    public ByteRate(long bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, Least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytesPerSecond, Most);
        BytesPerSecond = bytesPerSecond;
    }

    public long BytesPerSecond { get; }

    public static bool TryParse(ReadOnlySpan<char> text, out ByteRate rate)
    {
        rate = default;
        text = text.Trim();
        foreach (var (name, bytes) in _units)
        {
            if (
                text.EndsWith(name, StringComparison.Ordinal)
                && double.TryParse(
                    text[..^name.Length].TrimEnd(),
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var number
                )
            )
            {
                var perSecond = Math.Round(number * bytes);
                if (perSecond is >= Least and <= Most)
                {
                    rate = new ByteRate((long)perSecond);
                    return true;
                }

                return false;
            }
        }

        return false;
    }

    /// <summary>The shortest way to write it exactly.</summary>
    public override string ToString()
    {
        var shortest = string.Create(CultureInfo.InvariantCulture, $"{BytesPerSecond}B/s");
        foreach (var (name, bytes) in _units)
        {
            var number = Math.Round(BytesPerSecond / bytes, 2);
            if (number * bytes == BytesPerSecond)
            {
                var text = string.Create(CultureInfo.InvariantCulture, $"{number}{name}");
                shortest = text.Length < shortest.Length ? text : shortest;
            }
        }

        return shortest;
    }
}
