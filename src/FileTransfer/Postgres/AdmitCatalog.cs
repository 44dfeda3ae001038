namespace FileTransfer.Postgres;

/// <summary>Looks at a database before anything is written to it.</summary>
public delegate Task AdmitCatalog(NpgsqlConnection connection, CancellationToken cancellationToken);
