namespace FileTransfer.Postgres;

/// <summary>A channel of notifications: what is told there, and how its text is written and read.</summary>
/// <param name="read">Null for what this program does not write: nobody is told of that.</param>
public sealed class NotificationChannel<T>(string name, Func<T, string> write, Func<string, T?> read)
    where T : class
{
    public string Name => name;

    public string Write(T value) => write(value);

    public T? Read(string payload) => read(payload);
}
