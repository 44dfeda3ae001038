using FileTransfer.Bandwidth;
using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Trust;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Sources;
using FileTransfer.Feed;
using FileTransfer.Feed.Changes;
using FileTransfer.Feed.Push;
using FileTransfer.Feed.Upstreams;
using FileTransfer.Hosting.Access;
using FileTransfer.Uploads.Ingest;

namespace FileTransfer.Hosting.Configuration;

/// <summary>A type of options, the configuration section it is read from, and the rules its values keep together.</summary>
internal sealed record OptionsSection(
    string Path,
    Type Type,
    Action<IHostApplicationBuilder> Register,
    Func<object, IEnumerable<string>>? Rules
)
{
    /// <summary>Every section there is: what is not found in one of these types is refused at start.</summary>
    public static readonly IReadOnlyList<OptionsSection> All =
    [
        Of<NodeOptions>(NodeOptions.Section, options => options.Faults()),
        Of<TrustOptions>(TrustOptions.Section, options => options.Faults()),
        Of<GossipOptions>(GossipOptions.Section, options => options.Faults()),
        Of<StoreOptions>(StoreOptions.Section, options => options.Faults()),
        Of<ScrubOptions>(ScrubOptions.Section),
        Of<DownloadOptions>(DownloadOptions.Section, options => options.Faults()),
        Of<FeedOptions>(FeedOptions.Section),
        Of<LimitOptions>(LimitOptions.Section, options => options.Faults()),
        Of<SourceOptions>(SourceOptions.Section, options => options.Faults()),
        Of<SyncOptions>(SyncOptions.Section, options => options.Faults()),
        Of<IngestOptions>(IngestOptions.Section, options => options.Faults()),
        Of<ShippingOptions>(ShippingOptions.Section),
        Of<WebhookOptions>(WebhookOptions.Section, options => options.Faults()),
        Of<AccessOptions>(AccessOptions.Section, options => options.Faults()),
        Of<CallerLimits>(CallerLimits.Section),
        Of<ServerOptions>(ServerOptions.Section),
        Of<HealthOptions>(HealthOptions.Section),
    ];

    /// <summary>What is wrong with the configured values, each fault with what to write instead; empty when they can be bound.</summary>
    public IReadOnlyList<string> FaultsIn(IConfiguration all)
    {
        var section = all.GetSection(Path);
        IReadOnlyList<string> faults =
        [
            .. SettingRules.FaultsOf(Type, section),
            .. Type == typeof(AccessOptions) ? TokenEntries.MixedIn(all) : [],
        ];
        return faults.Count == 0 && Rules is not null && section.Get(Type) is { } options ? [.. Rules(options)] : faults;
    }

    private static OptionsSection Of<T>(string path, Func<T, IEnumerable<string>>? rules = null)
        where T : class, new() =>
        new(path, typeof(T), builder => Add<T>(builder, path), rules is null ? null : options => rules((T)options));

    private static void Add<T>(IHostApplicationBuilder builder, string path)
        where T : class, new()
    {
        builder
            .Services.AddOptions<T>()
            .Configure<IConfiguration>((options, all) => all.GetSection(path).Bind(options))
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<T>, ValidateSection<T>>();
    }

    private sealed class ValidateSection<T>(IConfiguration all) : IValidateOptions<T>
        where T : class, new()
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            var faults = All.Single(section => section.Type == typeof(T)).FaultsIn(all);
            return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
        }
    }
}
