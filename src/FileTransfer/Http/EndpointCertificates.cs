namespace FileTransfer.Http;

/// <summary>The certificates that an endpoint shows, by the hosts that clients ask for (<c>Sni</c>); where it has none of these, one for all.</summary>
/// <remarks>Null stands for a certificate that is in no file, which the server takes from the store that the settings name.</remarks>
public sealed class EndpointCertificates
{
    private const string Any = "*";

    private readonly Dictionary<string, CertificateFile?> _byHost;

    public EndpointCertificates(IConfigurationSection endpoint, CertificateFile? ofAll, TimeProvider time)
    {
        var own = FileOf(endpoint, ofAll, time);
        var hosts = endpoint.GetSection("Sni").GetChildren().ToList();
        _byHost = hosts.ToDictionary(host => host.Key, host => FileOf(host, own, time), StringComparer.OrdinalIgnoreCase);
        if (hosts.Count == 0)
        {
            _byHost[Any] = own;
        }
    }

    public IEnumerable<CertificateFile> Files => _byHost.Values.OfType<CertificateFile>();

    /// <summary>As the server chooses: the host by its name, else the longest <c>*.example.org</c> that it is below, else <c>*</c>.</summary>
    public CertificateFile? For(string? host) =>
        host is not null && _byHost.TryGetValue(host, out var named)
            ? named
            : _byHost
                .Where(one => one.Key[0] == '*' && (host ?? "").EndsWith(one.Key[1..], StringComparison.OrdinalIgnoreCase))
                .MaxBy(one => one.Key.Length)
                .Value;

    private static CertificateFile? FileOf(IConfigurationSection section, CertificateFile? otherwise, TimeProvider time) =>
        section.GetSection("Certificate") is var own && own["Subject"] is { Length: > 0 }
            ? null
            : CertificateFile.Of(own, time) ?? otherwise;
}
