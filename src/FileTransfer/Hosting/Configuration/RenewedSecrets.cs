using System.ComponentModel.DataAnnotations;
using System.Reflection;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Sources;
using FileTransfer.Feed.Changes;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Hosting.Configuration;

/// <summary>Reads the files of secrets that this node shows to others again while it runs: what they hold then is shown from then on.</summary>
/// <remarks>Passwords of certificates and of the database are read once.</remarks>
internal sealed partial class RenewedSecrets(
    IConfiguration all,
    IOptions<NodeOptions> node,
    IOptions<SyncOptions> sync,
    IOptions<SourceOptions> sources,
    IOptions<WebhookOptions> webhooks,
    TimeProvider time,
    ILogger<RenewedSecrets> logger
) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, string> _refused = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var secrets = InFiles().ToList();
        if (secrets.Count == 0)
        {
            return;
        }

        using var timer = new PeriodicTimer(_period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                secrets.ForEach(Look);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private IEnumerable<Secret> InFiles()
    {
        var files = ((IConfigurationRoot)all).Providers.OfType<SecretFiles>().Single();
        return new[] { new Secret(NodeOptions.Section, node.Value, nameof(NodeOptions.NodeToken)) }
            .Concat(Each($"{SyncOptions.Section}:Upstreams", sync.Value.Upstreams, nameof(OtherClusterOptions.Token)))
            .Concat(Each($"{SyncOptions.Section}:Shippers", sync.Value.Shippers, nameof(OtherClusterOptions.Token)))
            .Concat(Each($"{SourceOptions.Section}:Sources", sources.Value.Sources, nameof(SourceEntry.Authorization)))
            .Concat(Each($"{WebhookOptions.Section}:Webhooks", webhooks.Value.Webhooks, nameof(WebhookEntry.Secret)))
            .Where(secret => files.TryGet(secret.Key, out _))
            .Select(secret => secret with { Path = files.PathOf(secret.Key)! });
    }

    private IEnumerable<Secret> Each(string section, IEnumerable<object> entries, string property) =>
        all.GetSection(section).GetChildren().Zip(entries, (entry, options) => new Secret(entry.Path, options, property));

    private void Look(Secret secret)
    {
        try
        {
            var text = SecretFiles.Read($"{secret.Key}{SecretFiles.Suffix}", secret.Path);
            if (text.Length == 0)
            {
                Refuse(secret, "it is empty");
            }
            else if (text != secret.Value)
            {
                secret.Value = text;
                Log.Renewed(logger, secret.Key);
            }
        }
        catch (FatalStartException unreadable)
        {
            Refuse(secret, unreadable.Message);
        }
        catch (ValidationException wrong)
        {
            Refuse(secret, $"write {wrong.Message}");
        }
    }

    /// <summary>Says so once.</summary>
    private void Refuse(Secret secret, string reason)
    {
        if (_refused.GetValueOrDefault(secret.Key) != reason)
        {
            _refused[secret.Key] = reason;
            Log.Refused(logger, secret.Key, secret.Path, reason);
        }
    }

    private sealed record Secret(string Section, object Options, string Property)
    {
        public string Key => $"{Section}:{Property}";

        public string Path { get; init; } = "";

        /// <exception cref="ValidationException">It is not what its setting takes.</exception>
        public string? Value
        {
            get => (string?)Named.GetValue(Options);
            set
            {
                Validator.ValidateProperty(value, new ValidationContext(Options) { MemberName = Property });
                Named.SetValue(Options, value);
            }
        }

        private PropertyInfo Named => Options.GetType().GetProperty(Property)!;
    }

    private static partial class Log
    {
        [LoggerMessage(1911, LogLevel.Information, "{Setting} was read again from its file, which has changed")]
        public static partial void Renewed(ILogger logger, string setting);

        [LoggerMessage(1912, LogLevel.Error, "{Setting} stays as it was; the file {Path} cannot be used: {Reason}")]
        public static partial void Refused(ILogger logger, string setting, string path, string reason);
    }
}
