namespace FileTransfer.Cluster;

/// <summary>A certificate and its key, which are read again when their files change. Section <c>FileTransfer:ClientCertificate</c>.</summary>
public sealed class ClientCertificateOptions
{
    /// <summary>A PEM or PFX file. A URI <c>urn:filetransfer:node:ID</c> among its names says whose node's it is.</summary>
    /// <remarks>Default none: no certificate is shown.</remarks>
    public string? Path { get; set; }

    /// <summary>A PEM file with the key.</summary>
    /// <remarks>Default none: the key is in <see cref="Path"/>.</remarks>
    public string? KeyPath { get; set; }

    /// <summary>What the key is encrypted with.</summary>
    /// <remarks>Default none.</remarks>
    public string? Password { get; set; }
}
