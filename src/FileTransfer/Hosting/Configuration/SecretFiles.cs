namespace FileTransfer.Hosting.Configuration;

/// <summary>Secrets that are given as files: <c>…:TokenFile</c> names the file of <c>…:Token</c>. Read when the process starts; some also later (<see cref="RenewedSecrets"/>).</summary>
internal sealed class SecretFiles(IConfiguration given) : ConfigurationProvider, IConfigurationSource
{
    public const string Suffix = "File";

    private static readonly string[] _secrets = ["Token", "Password", "Authorization", "Secret", "ConnectionStrings:Postgres"];

    private bool _loaded;

    /// <summary>Whether a setting may be given as a file.</summary>
    public static bool MayGive(string key) =>
        Array.Exists(_secrets, end => key.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    /// <summary>The settings that a name without and with the suffix stand for.</summary>
    public static IEnumerable<string> WithFile(string key) => MayGive(key) ? [key, key + Suffix] : [key];

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public string? PathOf(string key) => given[key + Suffix];

    public override void Load()
    {
        if (_loaded)
        {
            return;
        }

        _loaded = true;
        foreach (var (name, path) in given.AsEnumerable().ToList())
        {
            if (
                !string.IsNullOrEmpty(path)
                && name.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase)
                && name[..^Suffix.Length] is var key
                && MayGive(key)
            )
            {
                if (!string.IsNullOrEmpty(given[key]))
                {
                    throw new FatalStartException($"{key} and {name} are both given; write one of them.");
                }

                Data[key] = Read(name, path);
            }
        }
    }

    public static string Read(string name, string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new FatalStartException(
                $"{name} is '{path}', which cannot be read ({e.Message.TrimEnd('.')}); write the path of a file with the secret.",
                e
            );
        }
    }
}
