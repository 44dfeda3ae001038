using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Dashboard;

/// <summary>A file of the page, as it lies in the binary.</summary>
/// <param name="Path">Where it is served.</param>
internal sealed record DashboardFile(string Path, string MediaType, byte[] Content, EntityTagHeaderValue Tag)
{
    /// <summary>As the project names the files of the folder <c>Page</c>.</summary>
    private const string Prefix = "dashboard/";

    private const string FirstPage = Prefix + "index.html";

    public static IReadOnlyList<DashboardFile> All { get; } =
    [
        .. typeof(DashboardFile)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(Read),
    ];

    private static DashboardFile Read(string name)
    {
        using var stream = typeof(DashboardFile).Assembly.GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16))}\"");
        return new DashboardFile(name == FirstPage ? "/" : "/" + name, MediaTypeOf(name), content, tag);
    }

    private static string MediaTypeOf(string name) =>
        System.IO.Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            var other => throw new InvalidOperationException($"The dashboard has no media type for '{other}'."),
        };
}
