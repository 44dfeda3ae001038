namespace FileTransfer.Cli.Output;

/// <summary>Numbers of bytes for a person, in the units that options are written in: <c>512 B</c>, <c>1.5 MiB</c>.</summary>
public static class SizeText
{
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static string Of(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1024 && unit < _units.Length - 1; unit++)
        {
            value /= 1024;
        }

        var digits = unit == 0 || value >= 100 ? "0" : "0.0";
        return $"{value.ToString(digits, CultureInfo.InvariantCulture)} {_units[unit]}";
    }
}
