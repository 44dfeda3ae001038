using System.Formats.Tar;
using System.IO.Compression;
using System.Reflection;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Doctor;
using FileTransfer.Hosting.Configuration;

namespace FileTransfer.Cli.Support;

/// <summary>What somebody who was not there needs to see of a node, in one archive, without secrets.</summary>
internal sealed class SupportBundle(NodeSet nodes, TimeProvider time, string? token, CancellationToken cancellationToken)
{
    private const int LongestLog = 1024 * 1024;

    private static readonly (string Name, string Path)[] _answers =
    [
        ("configuration.json", Routes.Configuration),
        ("nodes.json", Routes.Nodes),
        ("leader.json", Routes.Leader),
        ("ready.json", $"{Routes.Health}/ready"),
        ("health.json", Routes.ClusterHealth),
        ("workers.json", Routes.Workers),
        ("queue.json", Routes.Queue),
        ("sources.json", Routes.Sources),
        ("metrics.txt", "/metrics"),
    ];

    private readonly List<(string Name, string Text)> _parts = [];

    /// <returns>The names of what is in it.</returns>
    public async Task<IReadOnlyList<string>> WriteAsync(string path)
    {
        using var settings = new ConfigurationManager();
        using var files = new SettingFiles();
        var fault = Read(files, settings);
        _parts.Add(("versions.txt", Versions()));
        _parts.Add(
            (
                "settings.txt",
                fault
                    ?? string.Join('\n', EffectiveSettings.Of(settings).Select(one => $"{one.Key} = {one.Value} ({one.Origin})"))
            )
        );
        _parts.Add(("doctor.txt", await ExamineAsync()));
        foreach (var (name, route) in _answers)
        {
            _parts.Add((name, await AskAsync(route)));
        }

        foreach (var log in LogsOf(settings))
        {
            _parts.Add(($"log/{Path.GetFileName(log)}", End(log)));
        }

        await PackAsync(path, new Secrets(settings, token));
        return [.. _parts.Select(part => part.Name)];
    }

    /// <returns>What is wrong with them; null where they could be read.</returns>
    private static string? Read(SettingFiles files, ConfigurationManager settings)
    {
        try
        {
            files.AddTo(settings, [], Directory.GetCurrentDirectory());
            return null;
        }
        catch (FatalStartException wrong)
        {
            return wrong.Message;
        }
    }

    private static string Versions()
    {
        var program = typeof(SupportBundle)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion;
        return $"""
            filetransfer {program}
            {RuntimeInformation.FrameworkDescription} ({RuntimeInformation.RuntimeIdentifier})
            {RuntimeInformation.OSDescription}, kernel {Environment.OSVersion.Version}
            {Environment.ProcessorCount} processors, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes} bytes of memory

            """;
    }

    private async Task<string> ExamineAsync()
    {
        var lines = new StringBuilder();
        var examination = new Examination(nodes, time, found => lines.Append(found.Line).Append('\n'), cancellationToken);
        await examination.RunAsync([], ["all"], probes: false);
        return lines.ToString();
    }

    private async Task<string> AskAsync(string route)
    {
        try
        {
            return await nodes.RunAsync(node => node.GetTextAsync(route));
        }
        catch (NodeException fault)
        {
            return $"not to be had: {fault.Message}\n";
        }
    }

    /// <summary>The newest file of each path that a sink of the log is given; one that begins a new file each day puts the day behind the name.</summary>
    private static IEnumerable<string> LogsOf(ConfigurationManager settings) =>
        settings
            .GetSection("Serilog")
            .AsEnumerable()
            .Where(setting =>
                setting.Key.EndsWith(":path", StringComparison.OrdinalIgnoreCase) && setting.Value is { Length: > 0 }
            )
            .Select(setting => new FileInfo(setting.Value!))
            .Where(file => file.Directory!.Exists)
            .Select(file =>
                file.Directory!.EnumerateFiles($"{Path.GetFileNameWithoutExtension(file.Name)}*{file.Extension}")
                    .MaxBy(one => one.LastWriteTimeUtc)
                    ?.FullName
            )
            .OfType<string>()
            .Distinct();

    /// <summary>The last lines of a file that somebody may be writing to.</summary>
    private static string End(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(Math.Max(0, file.Length - LongestLog), SeekOrigin.Begin);
            var isCut = file.Position > 0;
            using var reader = new StreamReader(file);
            var text = reader.ReadToEnd();
            return isCut ? text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..] : text;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return $"not to be had: {fault.Message}\n";
        }
    }

    /// <summary>For the user alone who asked for it.</summary>
    private async Task PackAsync(string path, Secrets secrets)
    {
        await using var file = new FileStream(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }
        );
        await using var packed = new GZipStream(file, CompressionLevel.Optimal);
        await using var archive = new TarWriter(packed);
        foreach (var (name, text) in _parts)
        {
            using var data = new MemoryStream(Encoding.UTF8.GetBytes(secrets.Without(text)));
            await archive.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.RegularFile, $"filetransfer-support/{name}")
                {
                    DataStream = data,
                    ModificationTime = time.GetUtcNow(),
                },
                cancellationToken
            );
        }
    }
}
