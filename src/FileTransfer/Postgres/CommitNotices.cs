namespace FileTransfer.Postgres;

/// <summary>Hears on a connection whether a commit gave up waiting for a standby.</summary>
internal sealed class CommitNotices : IDisposable
{
    private const string Warning = "01000";

    private readonly NpgsqlConnection _connection;
    private volatile bool _isUnconfirmed;

    public CommitNotices(NpgsqlConnection connection)
    {
        _connection = connection;
        _connection.Notice += OnNotice;
    }

    public bool IsUnconfirmed => _isUnconfirmed;

    public void Reset() => _isUnconfirmed = false;

    public void Dispose() => _connection.Notice -= OnNotice;

    private void OnNotice(object sender, NpgsqlNoticeEventArgs e)
    {
        // The text is in the server's language. The name of the function is not, where the server tells it.
        if (e.Notice is { SqlState: Warning, Routine: null or "" or "SyncRepWaitForLSN" })
        {
            _isUnconfirmed = true;
        }
    }
}
