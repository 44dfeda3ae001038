using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Downloads;
using Microsoft.Extensions.Options;

namespace FileTransfer.Hosting;

/// <summary>A type of options and the configuration section it is read from.</summary>
internal sealed record OptionsSection(string Path, Type Type, Action<IHostApplicationBuilder> Register)
{
    /// <summary>Every section there is: what is not found in one of these types is refused at start.</summary>
    public static readonly IReadOnlyList<OptionsSection> All =
    [
        Of<NodeOptions>(NodeOptions.Section),
        Of<StoreOptions>(StoreOptions.Section),
        Of<DownloadOptions>(DownloadOptions.Section),
        Of<AccessOptions>(AccessOptions.Section),
        Of<ServerOptions>(ServerOptions.Section),
    ];

    private static OptionsSection Of<T>(string path)
        where T : class, new() => new(path, typeof(T), builder => Add<T>(builder, path));

    private static void Add<T>(IHostApplicationBuilder builder, string path)
        where T : class, new()
    {
        builder
            .Services.AddOptions<T>()
            .Configure<IConfiguration>((options, all) => all.GetSection(path).Bind(options))
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<T>>(services => new Rules<T>(
            services.GetRequiredService<IConfiguration>(),
            path
        ));
    }

    private sealed class Rules<T>(IConfiguration all, string path) : IValidateOptions<T>
        where T : class, new()
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            var faults = SettingRules.FaultsOf(typeof(T), all.GetSection(path));
            return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
        }
    }
}
