using System.Diagnostics;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cli.Output;
using FileTransfer.Cluster;
using FileTransfer.Hosting.Configuration;

namespace FileTransfer.Cli.Doctor;

/// <summary>What a node on this machine would start with: its settings, its database, its data folder.</summary>
internal sealed class LocalChecks(Findings findings, Clocks clocks, TimeProvider time, CancellationToken cancellationToken)
{
    private const int BlockLength = 4096;
    private const int Blocks = 64;

    /// <summary>Fewer are felt: an upload waits for some, and so does a group of small files.</summary>
    private const double FewFsyncs = 20;

    private static readonly TimeSpan _measuredFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _waitedFor = TimeSpan.FromSeconds(20);

    /// <param name="given">Settings as <c>serve</c> takes them.</param>
    public async Task RunAsync(IReadOnlyList<string> given)
    {
        using var settings = new ConfigurationManager();
        using var files = new SettingFiles();
        var isRead = false;
        await findings.CheckAsync(
            "configuration",
            () =>
            {
                files.AddTo(settings, given, Directory.GetCurrentDirectory());
                isRead = true;
                StartChecks.CheckSettings(settings);
                return Describe(settings);
            }
        );
        if (!isRead)
        {
            findings.Skip("the configuration cannot be read", "database", "schema", "proxy", "disk", "fsync");
            return;
        }

        var folder = Path.GetFullPath(
            settings[$"{StoreOptions.Section}:{nameof(StoreOptions.DataDirectory)}"] is { Length: > 0 } configured
                ? configured
                : new StoreOptions().DataDirectory
        );
        await new DatabaseChecks(findings, clocks, time, cancellationToken).RunAsync(
            settings.GetConnectionString("Postgres"),
            folder
        );
        if (!Directory.Exists(folder))
        {
            findings.Skip(
                $"there is no data folder {folder} here; run it where the node runs, with its settings",
                "disk",
                "fsync"
            );
            return;
        }

        await findings.CheckAsync(
            "disk",
            () => LookAtDisk(folder, settings.GetSection(StoreOptions.Section).Get<StoreOptions>())
        );
        await findings.CheckAsync("fsync", () => CountFsyncsAsync(folder));
    }

    private static Finding Describe(ConfigurationManager settings)
    {
        var given = EffectiveSettings.Of(settings).Count(setting => setting.Origin != "default");
        var node = settings.GetSection(NodeOptions.Section).Get<NodeOptions>() ?? new NodeOptions();
        return Finding.Ok($"{given} settings are given here and none is wrong; node '{node.NodeId}', cluster '{node.ClusterId}'");
    }

    private static Finding LookAtDisk(string folder, StoreOptions? options)
    {
        var space = FreeSpaceReport.Of(folder, new FreeSpaceFloor(options?.Store.FreeSpaceFloorBytes));
        var seen =
            $"{SizeText.Of(space.BytesFree)} of {SizeText.Of(space.BytesTotal)} are free in {folder}, {SizeText.Of(space.FloorBytes)} must stay free";
        var found =
            space.IsBelowFloor ? Finding.Critical(seen, "Make room: no download starts")
            : FreeNames.At(folder) == 0 ? Finding.Critical($"{seen}; no inode is", "Remove files: there can be no more of them")
            : space.HasRoomFor(space.BytesTotal / 20) ? Finding.Ok(seen)
            : Finding.Warning(seen, "Make room soon: at the floor no download starts");
        return found with
        {
            Figures = new() { ["bytesFree"] = space.BytesFree, ["floorBytes"] = space.FloorBytes },
        };
    }

    private async Task<Finding> CountFsyncsAsync(string folder)
    {
        try
        {
            // A disk that hangs does so in the call itself, which nothing ends.
            var (count, took) = await Task.Run(() => CountFsyncs(folder), cancellationToken)
                .WaitAsync(_waitedFor, time, cancellationToken);
            var rate = count / took.TotalSeconds;
            var seen = string.Create(
                CultureInfo.InvariantCulture,
                $"{rate:0} a second in {folder}, {took.TotalMilliseconds / count:0.0} ms each"
            );
            var found =
                rate < FewFsyncs ? Finding.Warning(seen, "Look at the disk: an upload waits for some of them") : Finding.Ok(seen);
            return found with { Figures = new() { ["fsyncsPerSecond"] = Math.Round(rate, 1) } };
        }
        catch (TimeoutException)
        {
            return Finding.Critical(
                $"{folder} was not durable after {_waitedFor.TotalSeconds:0} s",
                "Look at the disk and at the kernel's log"
            );
        }
        catch (UnauthorizedAccessException)
        {
            return Finding.Unknown($"this user may not write to {folder}", "Run it as the user that the node runs as");
        }
    }

    private (int Count, TimeSpan Took) CountFsyncs(string folder)
    {
        var path = Path.Combine(folder, $".doctor-{Guid.NewGuid():N}");
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose);
        var block = new byte[BlockLength];
        var clock = Stopwatch.StartNew();
        var count = 0;
        while (count == 0 || (clock.Elapsed < _measuredFor && !cancellationToken.IsCancellationRequested))
        {
            RandomAccess.Write(file, block, count++ % Blocks * BlockLength);
            DurableFile.Fsync(file, path);
        }

        return (count, clock.Elapsed);
    }
}
