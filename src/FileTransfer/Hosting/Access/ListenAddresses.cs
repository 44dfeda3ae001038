namespace FileTransfer.Hosting.Access;

/// <summary>Where the server is told to listen, as configured: <c>Urls</c>, or the endpoints of section <c>Kestrel</c>, which win.</summary>
/// <param name="Urls">For the server; empty when it reads its endpoints from section <c>Kestrel</c> by itself.</param>
/// <param name="Open">Addresses that other machines can reach and that do not demand a certificate of <see cref="AccessOptions.ClientAuthority"/>.</param>
internal sealed record ListenAddresses(IReadOnlyList<string> Urls, IReadOnlyList<string> Open, IReadOnlyList<string> Remote)
{
    public const string Default = "http://127.0.0.1:7070";

    public bool OnlyLoopback => Remote.Count == 0;

    public static ListenAddresses From(IConfiguration all)
    {
        var endpoints = all.GetSection("Kestrel:Endpoints").GetChildren().ToList();
        return endpoints.Count > 0 ? FromEndpoints(all, endpoints) : FromUrls(all);
    }

    private static ListenAddresses FromUrls(IConfiguration all)
    {
        var text = all["Urls"] is { Length: > 0 } configured ? configured : Default;
        var urls = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (urls.Length == 0)
        {
            throw new FatalStartException($"Urls is '{text}'; write one or more addresses such as {Default}, separated by ';'.");
        }

        var remote = urls.Where(url => !IsLoopback("Urls", url)).ToList();
        return new ListenAddresses(urls, Open: remote, remote);
    }

    private static ListenAddresses FromEndpoints(IConfiguration all, List<IConfigurationSection> endpoints)
    {
        var clientsProven = !string.IsNullOrEmpty(all["FileTransfer:ClientAuthority"]);
        var (open, remote) = (new List<string>(), new List<string>());
        foreach (var endpoint in endpoints)
        {
            var url =
                endpoint["Url"]
                ?? throw new FatalStartException($"{endpoint.Path}:Url is missing; write an address such as {Default}.");
            if (IsLoopback($"{endpoint.Path}:Url", url))
            {
                continue;
            }

            remote.Add(url);
            if (!(clientsProven && AsksForCertificate(endpoint, url)))
            {
                open.Add(url);
            }
        }

        return new ListenAddresses([], open, remote);
    }

    private static bool AsksForCertificate(IConfigurationSection endpoint, string url) =>
        url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
        && Requires(endpoint["ClientCertificateMode"])
        && endpoint.GetSection("Sni").GetChildren().All(host => host["ClientCertificateMode"] is not { } mode || Requires(mode));

    private static bool Requires(string? mode) => string.Equals(mode, "RequireCertificate", StringComparison.OrdinalIgnoreCase);

    private static bool IsLoopback(string key, string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            throw Malformed(key, url);
        }

        if (address.Scheme is not ("http" or "https") || address.Port is < 0 or > 65535 || address.PathBase.Length > 0)
        {
            throw Malformed(key, url);
        }

        return address.IsUnixPipe || IsLoopback(address.Host);
    }

    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));

    private static FatalStartException Malformed(string key, string url) =>
        new($"{key} is '{url}'; write an address such as {Default} or http://0.0.0.0:7070.");
}
