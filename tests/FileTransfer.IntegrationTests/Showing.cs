using System.Globalization;

namespace FileTransfer.IntegrationTests;

/// <summary>
/// How large a demonstration is. An ordinary run shows it small, with room for a machine that does other things as well; with
/// <c>FILETRANSFER_SHOW=full</c> (<c>bash tests/run.sh --long</c>) it has its full size and its exact bounds, and tells what was
/// measured in the file <c>FILETRANSFER_SHOW_TABLE</c>.
/// </summary>
internal static class Showing
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("FILETRANSFER_SHOW") == "full";

    public static T Of<T>(T small, T full) => IsFull ? full : small;

    /// <summary>Adds a line to the table.</summary>
    public static void Tell(string what, double measured, double bound, string unit) =>
        Add($"| {what} | {measured:0.00} {unit} | {bound:0.00} {unit} |\n");

    /// <summary>Adds a line that has no bound to the table: how much was tried, say.</summary>
    public static void Tell(string what, long count) => Add($"| {what} | {count:#,0} | |\n");

    private static void Add(FormattableString line)
    {
        if (Environment.GetEnvironmentVariable("FILETRANSFER_SHOW_TABLE") is { Length: > 0 } table)
        {
            File.AppendAllText(table, line.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>
    /// Shows something again, at most three times, until it keeps to its bounds: what else a machine does only ever adds to a time, while a
    /// fault shows every time. At full size the first time counts.
    /// </summary>
    public static async Task UntilItHoldsAsync(Func<Task> show)
    {
        for (var left = Of(small: 2, full: 0); left > 0; left--)
        {
            try
            {
                await show();
                return;
            }
            catch (ShouldAssertException missed)
            {
                Console.WriteLine($"Shown again, {left} times at most: {missed.Message}");
            }
        }

        await show();
    }
}
