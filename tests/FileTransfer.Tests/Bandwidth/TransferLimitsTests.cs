using System.Diagnostics;
using FileTransfer.Bandwidth;
using FileTransfer.Catalog.Providers;
using FileTransfer.Contracts;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Planning;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Bandwidth;

public sealed class TransferLimitsTests : IDisposable
{
    private const int Piece = 64 * 1024;
    private const string A = "node a";
    private const string Mirror = "share mirror";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 2, 7, 59, 0, TimeSpan.Zero));
    private readonly LimitOptions _options = new();
    private TransferLimits? _limits;

    public void Dispose() => _limits?.Dispose();

    [Fact]
    public void The_planner_has_what_is_configured()
    {
        _options.Requests = 9;
        _options.RequestsPerSource = 2;
        _options.Connections = 3;
        var limits = Start();

        new DownloadLimits(limits, new OutsideSources(false), Options.Create(new DownloadOptions())).Planner.ShouldBe(
            PlannerLimits.Default with
            {
                Requests = 9,
                RequestsPerSource = 2,
                Connections = 3,
                WindowChunks = 4096,
            }
        );
    }

    [Fact]
    public async Task Without_limits_a_take_waits_for_nothing_and_allocates_nothing()
    {
        var limits = Start();
        await limits.AcquireAsync(A, Piece, default);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            await limits.AcquireAsync(A, Piece, default);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public async Task A_source_has_its_own_limit_and_shares_that_of_all()
    {
        _options.Download = "10MB/s";
        _options.PerSource["mirror"] = "1MB/s";
        var limits = Start();
        long[] taken = [0, 0];
        using var stop = new CancellationTokenSource();
        var takers = new[] { TakeOnAsync(0, A), TakeOnAsync(1, Mirror) };

        // The clock does not wait for the takers, so they may have had less for the time; never more, and it goes on.
        var seconds = 0.0;
        var patience = Stopwatch.StartNew();
        while (seconds < 4 || ((taken[0] < 1_000_000 || taken[1] < 100_000) && patience.Elapsed < TimeSpan.FromMinutes(1)))
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            seconds += 0.001;
            await Task.Yield();
        }

        taken[0].ShouldBeInRange(1_000_000, (long)((10_000_000 * seconds) + 1_000_000));
        taken[1].ShouldBeInRange(100_000, (long)((1_000_000 * seconds) + 300_000));
        await stop.CancelAsync();
        await Task.WhenAll(takers);

        async Task TakeOnAsync(int number, string source)
        {
            try
            {
                while (true)
                {
                    await limits.AcquireAsync(source, Piece, stop.Token);
                    taken[number] += Piece;
                }
            }
            catch (OperationCanceledException)
            {
                // Told to stop.
            }
        }
    }

    [Theory]
    [InlineData("node a", "1MB/s")]
    [InlineData("A", "1MB/s")]
    [InlineData("*", "1MB/s")]
    [InlineData("b", "unlimited")]
    public void A_source_is_named_whole_or_by_its_name_or_is_any(string name, string expected)
    {
        var timetables = new BandwidthSchedules(
            new LimitSet(PerSource: new Dictionary<string, string> { [name] = "1MB/s", ["node c"] = "2MB/s" })
        );

        (timetables.Of(A).At(default).Rate?.ToString() ?? "unlimited").ShouldBe(expected);
        timetables.Of("node c").At(default).Rate.ToString().ShouldBe("2MB/s");
    }

    [Fact]
    public void The_time_of_day_changes_the_rates()
    {
        _options.Upload = "50MiB/s; 08:00-18:00 10MiB/s";
        _options.PerSource["*"] = "07:00-09:00 1MB/s";
        var limits = Start();

        limits.Egress.Rate.ShouldBe(new ByteRate(50 * 1024 * 1024));
        limits.Enforce().ShouldBe(TimeSpan.FromMinutes(1));
        _time.Advance(TimeSpan.FromMinutes(1));
        limits.Enforce().ShouldBe(TimeSpan.FromHours(1), "then the limit of the sources ends");
        limits.Egress.Rate.ShouldBe(new ByteRate(10 * 1024 * 1024));
    }

    [Fact]
    public void What_is_set_lies_over_the_configuration_and_is_told()
    {
        _options.Download = "5MB/s";
        var limits = Start();
        var told = 0;
        limits.Changed += () => told++;

        limits.Set(new LimitSet(Requests: 7, Upload: "1MB/s"));
        limits.InForce.Requests.ShouldBe(7);
        limits.InForce.Download.ShouldBe("5MB/s");
        limits.Egress.Rate.ShouldBe(new ByteRate(1_000_000));

        limits.Set(null);
        limits.InForce.Requests.ShouldBe(50);
        limits.Egress.Rate.ShouldBeNull();
        told.ShouldBe(2);
    }

    [Fact]
    public async Task A_limit_that_is_set_frees_or_holds_those_who_take_already()
    {
        var limits = Start();
        limits.Set(new LimitSet(Download: "1KiB/s"));
        limits.AcquireAsync(A, 1024, default).AsTask().IsCompleted.ShouldBeTrue();
        var waits = limits.AcquireAsync(A, 1024, default).AsTask();
        waits.IsCompleted.ShouldBeFalse();

        limits.Set(null);

        await waits.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_changed_configuration_counts_and_a_faulty_one_not()
    {
        var settings = new ConfigurationManager();
        settings.AddInMemoryCollection([new("FileTransfer:Limits:Requests", "9")]);
        using var limits = Start(settings, () => settings.GetSection(LimitOptions.Section).Get<LimitOptions>()!);
        limits.InForce.Requests.ShouldBe(9);

        settings["FileTransfer:Limits:Requests"] = "10";
        ((IConfigurationRoot)settings).Reload();
        limits.InForce.Requests.ShouldBe(10);

        settings["FileTransfer:Limits:Requests"] = "many";
        ((IConfigurationRoot)settings).Reload();
        limits.InForce.Requests.ShouldBe(10);
    }

    private TransferLimits Start(IConfiguration? configuration = null, Func<LimitOptions>? read = null) =>
        _limits = new TransferLimits(
            new Factory(read ?? (() => _options)),
            configuration ?? new ConfigurationManager(),
            _time,
            NullLogger<TransferLimits>.Instance
        );

    private sealed class Factory(Func<LimitOptions> read) : IOptionsFactory<LimitOptions>
    {
        public LimitOptions Create(string name) => read();
    }
}
