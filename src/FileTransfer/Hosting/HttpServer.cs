using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using FileTransfer.Hosting.Access;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Hosting.Requests;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FileTransfer.Hosting;

/// <summary>How the service listens, and what it takes in a request.</summary>
internal static class HttpServer
{
    /// <summary>JSON bodies are metadata: a location of 1 MiB in hex, and room to say that it is too long.</summary>
    private const long MaxJsonBodyBytes = 4 * 1024 * 1024;

    /// <summary>A body that comes more slowly than this, all in all, is not waited for.</summary>
    private const double LeastBytesPerSecondOfBodies = 240;

    public static void AddHttp(this WebApplicationBuilder builder)
    {
        var server = builder.Configuration.GetSection(ServerOptions.Section).Get<ServerOptions>() ?? new ServerOptions();
        builder.Services.AddRouting();
        builder.Services.AddSingleton<CertificateFiles>();
        builder.Services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        builder.Services.AddProblemDetails();
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            // A misspelt or repeated member is a mistake of the sender; to pass over it would hide it.
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.SerializerOptions.AllowDuplicateProperties = false;
            json.SerializerOptions.TypeInfoResolverChain.Add(WireJson.Default);
        });
        builder.WebHost.UseKestrel(
            (context, kestrel) =>
            {
                var certificates = kestrel.ApplicationServices.GetRequiredService<CertificateFiles>();
                var clients = AuthorityOfClients(context.Configuration, kestrel.ApplicationServices);
                kestrel.ConfigureHttpsDefaults(https =>
                {
                    https.ClientCertificateValidation = clients;
                    https.Show(_ => certificates.Default);
                });

                // Not reloaded: a new address would escape the checks made at the start.
                var endpoints = kestrel.Configure(context.Configuration.GetSection("Kestrel"), reloadOnChange: false);
                foreach (var (name, shown) in certificates.OfEndpoints)
                {
                    endpoints.Endpoint(name, endpoint => endpoint.HttpsOptions.Show(shown.For));
                }

                kestrel.ConfigureEndpointDefaults(endpoint =>
                    endpoint.Use(next => connection => RejectedRequests.OnConnectionAsync(connection, next))
                );
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = MaxJsonBodyBytes;
                kestrel.Limits.MaxRequestLineSize = 64 * 1024;
                kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
                kestrel.Limits.MaxRequestHeaderCount = 64;
                // Readers may pause, and senders take their time: TransferWatch ends those who are not there any more.
                kestrel.Limits.MinResponseDataRate = null;
                kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(
                    LeastBytesPerSecondOfBodies,
                    gracePeriod: server.Uploads.IdleTimeout + TimeSpan.FromSeconds(5)
                );
            }
        );
        var addresses = ListenAddresses.From(builder.Configuration);
        if (addresses.Urls.Count > 0)
        {
            builder.WebHost.UseUrls([.. addresses.Urls]);
        }
    }

    private static Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool>? AuthorityOfClients(
        IConfiguration all,
        IServiceProvider services
    )
    {
        if (all["FileTransfer:ClientAuthority"] is not { Length: > 0 } path)
        {
            return null;
        }

        var authority = new AuthorityFile(path, services.GetRequiredService<TimeProvider>());
        return (certificate, presented, _) => authority.HasSigned(certificate, presented, AuthorityFile.ForClients);
    }

    /// <summary>Each handshake has the certificate as its files are then.</summary>
    private static void Show(this HttpsConnectionAdapterOptions https, Func<string?, CertificateFile?> fileFor) =>
        https.OnAuthenticate = (connection, tls) =>
        {
            if (fileFor(connection.Features.Get<ITlsHandshakeFeature>()?.HostName) is { } certificate)
            {
                tls.ServerCertificateContext = certificate.Context;
            }
        };
}
