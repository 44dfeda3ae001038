using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;

namespace FileTransfer.Hosting.Configuration;

/// <summary>The settings: appsettings.json beside the binary, then in the current folder, then environment, then command line; later ones win. Secrets may be in files of their own.</summary>
/// <remarks>
/// Files are looked at every few seconds. Notifications of the kernel miss a file that a link swap replaces,
/// as mounted configuration is, and are limited in number per user.
/// </remarks>
internal sealed class SettingFiles : IDisposable
{
    private const string Name = "appsettings.json";

    private readonly List<PhysicalFileProvider> _folders = [];
    private bool _loaded;

    public void AddTo(ConfigurationManager configuration, IReadOnlyList<string> args, string currentFolder)
    {
        foreach (var folder in new[] { AppContext.BaseDirectory, currentFolder }.Select(Normal).Distinct(StringComparer.Ordinal))
        {
            AddFile(configuration, folder);
        }

        configuration.AddEnvironmentVariables();
        configuration.AddInMemoryCollection(CommandLineSettings.Parse(args));
        configuration.Sources.Add(new SecretFiles(configuration));
        _loaded = true;
    }

    public void Dispose() => _folders.ForEach(folder => folder.Dispose());

    private static string Normal(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    private void AddFile(IConfigurationBuilder configuration, string folder)
    {
        var files = new PhysicalFileProvider(folder) { UsePollingFileWatcher = true, UseActivePolling = true };
        _folders.Add(files);
        try
        {
            configuration.Add(
                new JsonConfigurationSource
                {
                    FileProvider = files,
                    Path = Name,
                    Optional = true,
                    ReloadOnChange = true,
                    // Half-written while the service runs: the next look finds it whole.
                    OnLoadException = fault => fault.Ignore = _loaded,
                }
            );
        }
        catch (InvalidDataException e)
        {
            throw new FatalStartException($"{Path.Combine(folder, Name)} is not JSON: {e.GetBaseException().Message}", e);
        }
    }
}
