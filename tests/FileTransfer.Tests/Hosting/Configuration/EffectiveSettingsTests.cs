using FileTransfer.Contracts;
using FileTransfer.Hosting.Configuration;
using Microsoft.Extensions.Configuration;

namespace FileTransfer.Tests.Hosting.Configuration;

/// <summary>What counts, where it came from, and nothing that is secret.</summary>
public sealed class EffectiveSettingsTests
{
    [Fact]
    public void Each_setting_is_shown_once_with_its_last_source_and_all_others_with_their_defaults()
    {
        var configuration = new ConfigurationManager();
        Environment.SetEnvironmentVariable("FileTransfer__Downloads__Lanes", "7");
        configuration.AddEnvironmentVariables();
        Environment.SetEnvironmentVariable("FileTransfer__Downloads__Lanes", null);
        configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["FileTransfer:Downloads:MaxAttempts"] = "9",
                ["FileTransfer:NodeToken"] = "s3cr3t",
                ["FileTransfer:Sources:0:Url"] = "http://u:s3cr3t@mirror/files/?sig=s3cr3t",
                ["FileTransfer:Sources:1:Url"] = "mirror/files/?sig=s3cr3t",
                ["ConnectionStrings:Postgres"] = "Host=db;Password=s3cr3t",
                ["ConnectionStrings:PostgresFile"] = "/run/credentials/postgres",
                ["Elsewhere"] = "nothing of this program",
            }
        );

        var settings = EffectiveSettings.Of(configuration).ToDictionary(setting => setting.Key, StringComparer.OrdinalIgnoreCase);

        settings["FileTransfer:Downloads:Lanes"].ShouldBe(Setting("FileTransfer:Downloads:Lanes", "7", "environment"));
        settings["FileTransfer:Downloads:MaxAttempts"].Origin.ShouldBe("command line");
        settings["FileTransfer:Downloads:BackoffBase"]
            .ShouldBe(Setting("FileTransfer:Downloads:BackoffBase", "00:00:01", "default"));
        settings["FileTransfer:NodeToken"].Value.ShouldBe("***");
        settings["FileTransfer:Sources:0:Url"].Value.ShouldBe("http://***@mirror/files/?***");
        settings["FileTransfer:Sources:1:Url"].Value.ShouldBe("***");
        settings["ConnectionStrings:Postgres"].Value.ShouldBe("Host=db;Password=***");
        settings["ConnectionStrings:PostgresFile"].Value.ShouldBe("/run/credentials/postgres");
        settings.Values.ShouldAllBe(setting =>
            setting.Value == null || !setting.Value.Contains("s3cr3t", StringComparison.Ordinal)
        );
        settings.ShouldNotContainKey("Elsewhere");
    }

    [Fact]
    public void Limits_that_were_set_while_the_node_runs_stand_for_their_settings() =>
        EffectiveSettings
            .Of(new LimitSet(Requests: 3, PerSource: new Dictionary<string, string> { ["node b"] = "5MB/s" }))
            .ShouldBe([("FileTransfer:Limits:Requests", "3"), ("FileTransfer:Limits:PerSource:node b", "5MB/s")]);

    private static SettingResource Setting(string key, string value, string origin) => new(key, value, origin);
}
