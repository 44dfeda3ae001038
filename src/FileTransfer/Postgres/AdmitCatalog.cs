using Npgsql;

namespace FileTransfer.Postgres;

/// <summary>Looks at a database before anything is written to it.</summary>
/// <exception cref="FatalStartException">It is not the one this process belongs to.</exception>
public delegate Task AdmitCatalog(NpgsqlConnection connection, CancellationToken cancellationToken);
