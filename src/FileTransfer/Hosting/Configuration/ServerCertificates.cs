using System.Security.Cryptography.X509Certificates;
using FileTransfer.Hosting.Access;

namespace FileTransfer.Hosting.Configuration;

/// <summary>Finds https addresses without a certificate before anything is started.</summary>
internal static class ServerCertificates
{
    private const string Default = "Kestrel:Certificates:Default";

    /// <summary>Marks the certificates that <c>dotnet dev-certs</c> makes; the server takes one where none is configured.</summary>
    private const string OfDevelopment = "1.3.6.1.4.1.311.84.1.1";

    public static void Check(IConfiguration all)
    {
        var endpoints = all.GetSection("Kestrel:Endpoints").GetChildren().ToList();
        foreach (var endpoint in endpoints.Where(endpoint => IsHttps(endpoint["Url"])))
        {
            var hosts = endpoint.GetSection("Sni").GetChildren().ToList();
            var isGivenPerHost = hosts.Count > 0 && hosts.All(host => IsGiven(host.GetSection("Certificate")));
            CheckAddress(all, endpoint["Url"]!, endpoint.GetSection("Certificate"), isGivenPerHost);
            hosts.ForEach(host => CheckFiles(host.GetSection("Certificate")));
        }

        if (endpoints.Count == 0)
        {
            foreach (var url in ListenAddresses.From(all).Urls.Where(IsHttps))
            {
                CheckAddress(all, url, all.GetSection(Default), isGivenElsewhere: false);
            }
        }
    }

    private static void CheckAddress(IConfiguration all, string url, IConfigurationSection own, bool isGivenElsewhere)
    {
        var certificate = IsGiven(own) ? own : all.GetSection(Default);
        if (!IsGiven(certificate) && !isGivenElsewhere && !IsDevelopersThere())
        {
            throw new FatalStartException(
                $"{url} is an https address and there is no certificate for it; write {own.Path}:Path (a PEM or PFX file) "
                    + $"with KeyPath or Password, or listen on an http address such as {ListenAddresses.Default}."
            );
        }

        CheckFiles(certificate);
    }

    private static void CheckFiles(IConfigurationSection certificate)
    {
        foreach (var name in (ReadOnlySpan<string>)["Path", "KeyPath"])
        {
            if (certificate[name] is { Length: > 0 } path && !File.Exists(path))
            {
                throw new FatalStartException($"{certificate.Path}:{name} is '{path}', where there is no file; write its path.");
            }
        }
    }

    private static bool IsHttps(string? url) => url?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) == true;

    private static bool IsGiven(IConfigurationSection certificate) =>
        !string.IsNullOrEmpty(certificate["Path"]) || !string.IsNullOrEmpty(certificate["Subject"]);

    private static bool IsDevelopersThere()
    {
        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser);
        store.Open(OpenFlags.ReadOnly);
        return store.Certificates.Any(certificate =>
            certificate.HasPrivateKey && certificate.Extensions.Any(extension => extension.Oid?.Value == OfDevelopment)
        );
    }
}
