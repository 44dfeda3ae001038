using FileTransfer.Bandwidth;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.FileProviders;

namespace FileTransfer.Hosting.Configuration;

/// <summary>The settings as they count: those that were given, each from its last source, and the defaults of all others.</summary>
internal static class EffectiveSettings
{
    private const string Mask = "***";

    /// <summary>Ends of names whose values nobody is shown.</summary>
    private static readonly string[] _secrets =
    [
        "token",
        "password",
        "authorization",
        "sha256",
        "secret",
        "apikey",
        "connectionstring",
    ];

    public static IEnumerable<SettingResource> Of(IConfigurationRoot configuration)
    {
        var given = configuration.AsEnumerable().Where(setting => setting.Value is not null && SettingNames.IsKnown(setting.Key));
        foreach (var (key, value) in given)
        {
            yield return new SettingResource(key, Masked(key, value), OriginOf(configuration, key));
        }

        foreach (var (key, value) in OptionsSection.All.SelectMany(section => DefaultsOf(section.Type, section.Path)))
        {
            if (configuration[key] is null)
            {
                yield return new SettingResource(key, value, "default");
            }
        }
    }

    /// <summary>Limits that were set while the node runs, by the names of the settings that they stand for.</summary>
    public static IEnumerable<(string Key, string Value)> Of(LimitSet set) =>
        JsonSerializer
            .SerializeToElement(set, WireJson.Default.LimitSet)
            .EnumerateObject()
            .SelectMany(member => LeavesOf($"{char.ToUpperInvariant(member.Name[0])}{member.Name[1..]}", member.Value))
            .Select(leaf => ($"{LimitOptions.Section}:{leaf.Path}", leaf.Value));

    private static IEnumerable<(string Path, string Value)> LeavesOf(string path, JsonElement json) =>
        json.ValueKind == JsonValueKind.Object
            ? json.EnumerateObject().SelectMany(member => LeavesOf($"{path}:{member.Name}", member.Value))
            : [(path, json.ToString())];

    internal static string? Masked(string key, string? value)
    {
        var name = key[(key.LastIndexOf(':') + 1)..];
        if (string.IsNullOrEmpty(value))
        {
            return value;
        }

        if (_secrets.Any(secret => name.EndsWith(secret, StringComparison.OrdinalIgnoreCase)))
        {
            return Mask;
        }

        return IsConnection(key) ? WithoutPassword(value) : string.Join(' ', value.Split(' ').Select(WithoutSecrets));
    }

    /// <summary>Whether it is a connection string, and not the file of one.</summary>
    internal static bool IsConnection(string key) =>
        key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase)
        && !key.EndsWith(SecretFiles.Suffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Of a connection string; null where it is none, empty where it has none.</summary>
    internal static string? PasswordOf(string connection) => Read(connection) is { } settings ? settings.Password ?? "" : null;

    private static string WithoutPassword(string connection)
    {
        if (Read(connection) is not { } settings)
        {
            return Mask;
        }

        settings.Password = string.IsNullOrEmpty(settings.Password) ? null : Mask;
        return settings.ConnectionString;
    }

    private static NpgsqlConnectionStringBuilder? Read(string connection)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connection);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string WithoutSecrets(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Host.Length > 0
            ? url.UserInfo.Length + url.Query.Length > 0
                ? WithoutSecrets(url)
                : text
            : text.Contains('@', StringComparison.Ordinal)
            || (text.Contains('?', StringComparison.Ordinal) && text.Contains('=', StringComparison.Ordinal))
                ? Mask
                : text;

    private static string WithoutSecrets(Uri url) =>
        (url.UserInfo.Length > 0 ? $"{url.Scheme}://{Mask}@{url.Authority}" : url.GetLeftPart(UriPartial.Authority))
        + url.AbsolutePath
        + (url.Query.Length > 0 ? $"?{Mask}" : "");

    internal static string OriginOf(IConfigurationRoot configuration, string key) =>
        configuration.Providers.Last(provider => provider.TryGet(key, out var value) && value is not null) switch
        {
            JsonConfigurationProvider { Source: { FileProvider: PhysicalFileProvider folder, Path: var file } } =>
                $"file {Path.Combine(folder.Root, file ?? "")}",
            SecretFiles secrets => $"file {secrets.PathOf(key)}",
            EnvironmentVariablesConfigurationProvider => "environment",
            MemoryConfigurationProvider => "command line",
            var other => other.ToString() ?? "",
        };

    private static IEnumerable<(string Key, string? Value)> DefaultsOf(Type type, string path)
    {
        var defaults = Activator.CreateInstance(type);
        foreach (var property in SettingRules.PropertiesOf(type))
        {
            var key = $"{path}:{property.Name}";
            if (SettingRules.IsLeaf(property.PropertyType))
            {
                yield return (key, Convert.ToString(property.GetValue(defaults), CultureInfo.InvariantCulture));
            }
            else if (SettingRules.ElementOf(property.PropertyType) is null)
            {
                foreach (var below in DefaultsOf(property.PropertyType, key))
                {
                    yield return below;
                }
            }
        }
    }
}
