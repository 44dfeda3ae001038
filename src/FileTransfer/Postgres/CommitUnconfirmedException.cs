namespace FileTransfer.Postgres;

/// <summary>A change is committed at the server, but no synchronous standby is known to have it: a failover may lose it. Nothing of it may be acknowledged.</summary>
/// <remarks>What asked for it asks again: the second commit waits for the standby to have the first one, too.</remarks>
public sealed class CommitUnconfirmedException()
    : NpgsqlException("The change is committed at the database server, but no synchronous standby has confirmed it.");
