namespace FileTransfer.Postgres;

/// <summary>Rows that somebody wrote past this program, and that cannot be what they stand for: nothing else fails of them.</summary>
public sealed partial class FaultyRows(ILogger logger)
{
    /// <summary>More than anybody reads; beyond it they are told of again.</summary>
    private const int MostTold = 1000;

    private const int MostShown = 100;

    private readonly ConcurrentDictionary<(string, string, string), bool> _told = new();

    /// <summary>Tells of a row once.</summary>
    /// <param name="row">What it is known by.</param>
    /// <param name="fault">What is wrong with it, and what is made of that.</param>
    public void Tell(string table, string row, string fault)
    {
        if (_told.Count >= MostTold)
        {
            _told.Clear();
        }

        if (_told.TryAdd((table, row, fault), true))
        {
            Log.Faulty(logger, table, Shown(row), fault);
        }
    }

    /// <summary>What a text of a row is shown as: no longer than a line, and one line.</summary>
    public static string Shown(string text) =>
        PrintedText.Line(string.Concat(text.Take(MostShown))) + (text.Length > MostShown ? "…" : "");

    private static partial class Log
    {
        [LoggerMessage(
            2080,
            LogLevel.Warning,
            "A row of filetransfer.{Table} is faulty, and was not written by this program: '{Row}': {Fault}. Correct or delete it, and look who can write to the database"
        )]
        public static partial void Faulty(ILogger logger, string table, string row, string fault);
    }
}
