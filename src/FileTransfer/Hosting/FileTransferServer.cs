using System.Diagnostics;
using FileTransfer.Bandwidth;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Trust;
using FileTransfer.Dashboard;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Progress;
using FileTransfer.Exports;
using FileTransfer.Feed;
using FileTransfer.Feed.Changes;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Push;
using FileTransfer.Feed.Reconciliation;
using FileTransfer.Hosting.Access;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Hosting.Health;
using FileTransfer.Hosting.Metrics;
using FileTransfer.Hosting.Requests;
using FileTransfer.Operations;
using FileTransfer.Serving;
using FileTransfer.Uploads;
using FileTransfer.Uploads.Ingest;
using FileTransfer.Wants.Intents;
using FileTransfer.Wants.Loads;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Hosting;

public static partial class FileTransferServer
{
    private static readonly TimeSpan TimeToStopServices = TimeSpan.FromSeconds(10);

    /// <summary>Composes the service from appsettings.json (beside the binary, then in the current folder), environment and command line.</summary>
    /// <exception cref="FatalStartException">The configuration is wrong; the message names every fault.</exception>
    public static WebApplication Build(string[] args) => Build(args, Directory.GetCurrentDirectory());

    internal static WebApplication Build(string[] args, string currentFolder)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "filetransfer" });
        var files = new SettingFiles();
        files.AddTo(builder.Configuration, args, currentFolder);
        StartChecks.Run(builder.Configuration);
        builder.AddLog();
        builder.AddHost();
        builder.AddHttp();
        builder.AddAccess();
        builder.Services.AddSingleton<CallerBounds>();
        builder.Services.AddSingleton<UploadBytes>();
        builder.AddSwagger();
        builder.AddMetrics();
        builder.AddTraces();
        AddFeatures(builder);

        var app = builder.Build();
        app.Use(RequestNames.InvokeAsync);
        app.Use((context, next) => app.Services.GetRequiredService<TransferWatch>().InvokeAsync(context, next));
        app.UseMiddleware<LingeringClose>();
        app.UseRequestLog();
        app.UseMiddleware<AuditTrail>();
        app.UseMiddleware<RequestFaults>();
        app.Use(TellBrowsers);
        app.UseStatusCodePages(StatusProblems.WriteAsync);
        app.Use((context, next) => app.Services.GetRequiredService<RequestDrain>().InvokeAsync(context, next));
        app.UseMiddleware<CrossOriginGuard>();
        if (app.Services.GetRequiredService<IOptions<ServerOptions>>().Value.Swagger)
        {
            app.UseSwaggerPages();
        }

        app.UseRouting();
        app.UseAuthentication();
        app.Use((context, next) => app.Services.GetRequiredService<RevokedRequests>().InvokeAsync(context, next));
        app.UseAuthorization();
        app.Use(TokenRights.InvokeAsync);
        app.Use((context, next) => app.Services.GetRequiredService<CallerBounds>().InvokeAsync(context, next));
        app.Use((context, next) => app.Services.GetRequiredService<UploadBytes>().InvokeAsync(context, next));
        app.UseMiddleware<CatalogHeader>();
        app.UseMiddleware<QueryParameters>();
        app.UseMiddleware<BodyFormats>();
        var routes = app.MapGroup("");
        routes.AnswerHeadBesideGet();
        MapRoutes(routes);
        app.MapMetrics();
        var rejected = app.Services.GetRequiredService<RejectedRequests>();
        var followed = rejected.Follow(app.Services.GetRequiredService<DiagnosticListener>());
        app.Lifetime.ApplicationStopped.Register(followed.Dispose);
        app.Lifetime.ApplicationStopped.Register(files.Dispose);
        return app;
    }

    /// <summary>Every feature registers itself here, lowest first: hosted services start in this order and stop in the reverse one.</summary>
    private static void AddFeatures(WebApplicationBuilder builder)
    {
        foreach (var section in OptionsSection.All)
        {
            section.Register(builder);
        }

        builder.Services.AddPostgres(
            builder.Configuration.GetConnectionString("Postgres"),
            Path.GetFullPath(builder.Configuration["FileTransfer:DataDirectory"] ?? new StoreOptions().DataDirectory)
        );
        builder.AddBandwidth();
        builder.AddChunks();
        builder.AddCatalog();
        builder.AddPolicies();
        builder.AddServing();
        builder.AddCluster();
        builder.AddFeed();
        builder.AddUploads();
        builder.AddDownloads();
        builder.AddExports();
        builder.AddIntents();
        builder.AddLoads();
        builder.AddOperations();
        builder.AddReadinessChecks();
    }

    /// <summary>Every answer can change or vanish, contents too: a cache may keep it, and asks before using it.</summary>
    /// <remarks>Nothing that is answered is a page, but for the dashboard and swagger: what is stored here runs nowhere.</remarks>
    private static Task TellBrowsers(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger", StringComparison.Ordinal)
            ? SwaggerDocument.ContentPolicy
            : "default-src 'none'; frame-ancestors 'none'";
        return next(context);
    }

    private static void MapRoutes(RouteGroupBuilder app)
    {
        app.MapDashboard();
        app.MapHealth();
        app.MapClusterHealth();
        app.MapContents();
        app.MapParts();
        app.MapBatches();
        app.MapFiles();
        app.MapPolicies();
        app.MapCopies();
        app.MapQuotas();
        app.MapOrphans();
        app.MapFileCommands();
        app.MapDamage();
        app.MapScrub();
        app.MapReconcile();
        app.MapChanges();
        app.MapSync();
        app.MapSyncStatus();
        app.MapUpstreams();
        app.MapShipments();
        app.MapFollowers();
        app.MapUploads();
        app.MapBatchUploads();
        app.MapIngest();
        app.MapRunningUploads();
        app.MapLimits();
        app.MapConfiguration();
        app.MapTokens();
        app.MapCaller();
        app.MapTrust();
        app.MapFetch();
        app.MapPauses();
        app.MapPriorities();
        app.MapLoads();
        app.MapAdopt();
        app.MapExports();
        app.MapEvents();
        app.MapAudit();
        app.MapExplain();
        app.MapQueue();
        app.MapHistory();
        app.MapRetry();
        app.MapSources();
        app.MapProof();
        app.MapGossip();
        app.MapLeader();
        app.MapNodes();
        app.MapDrain();
        app.MapWorkers();
        app.MapEvacuation();
    }

    /// <returns>0 after a clean stop, 78 when a person must change something first, 1 for everything else.</returns>
    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        Allocator.Bound();
        LogSetup.StartBootstrap();
        try
        {
            await using var app = Build(args);
            WarnOfAnonymousAccess(app);
            await StartedAsync(app, cancellationToken);
            await StoppedAsync(app, cancellationToken);
            return ExitCodes.Clean;
        }
        catch (Exception fault)
        {
            return ExitCodes.Explain(fault, Console.Error);
        }
        finally
        {
            await Serilog.Log.CloseAndFlushAsync();
        }
    }

    private static async Task StartedAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Told to stop before it was up, by a signal or by what keeps it from starting.
        }
    }

    private static async Task StoppedAsync(WebApplication app, CancellationToken cancellationToken)
    {
        var lifetime = app.Services.GetRequiredService<SignalLifetime>();
        await using var stop = cancellationToken.Register(app.Lifetime.StopApplication);
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var told = app.Lifetime.ApplicationStopping.Register(stopping.SetResult);
        await stopping.Task;
        try
        {
            await app.StopAsync(lifetime.Hurry);
        }
        catch (Exception e)
            when (lifetime.Hurry.IsCancellationRequested && e is (OperationCanceledException or AggregateException))
        {
            // Asked to hurry: what was cut short is repaired at the next start.
        }

        // A background service that failed has stopped the host; what it failed of decides the exit code.
        if (app.Services.GetRequiredService<Database>().StartFault is { } fault)
        {
            throw fault;
        }

        var failed = app
            .Services.GetServices<IHostedService>()
            .OfType<BackgroundService>()
            .FirstOrDefault(service => service.ExecuteTask?.IsFaulted == true);
        if (failed is not null)
        {
            await failed.ExecuteTask!;
        }
    }

    private static void AddHost(this WebApplicationBuilder builder)
    {
        var server = builder.Configuration.GetSection(ServerOptions.Section).Get<ServerOptions>() ?? new ServerOptions();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = server.DrainTimeout + TimeToStopServices);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<WorkerRegistry>();
        builder.Services.AddSingleton<SignalLifetime>();
        builder.Services.AddSingleton<IHostLifetime>(services => services.GetRequiredService<SignalLifetime>());
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<LastDuties>(services, server.DrainTimeout));
        builder.Services.AddHostedService(services => services.GetRequiredService<LastDuties>());
        builder.Services.AddSingleton<RequestDrain>();
        builder.Services.AddHostedService(services => services.GetRequiredService<RequestDrain>());
        builder.Services.AddSingleton<TransferWatch>();
        builder.Services.AddSingleton<RejectedRequests>();
        builder.Services.AddHostedService(services => services.GetRequiredService<TransferWatch>());
        builder.Services.AddHostedService<RenewedSecrets>();
        builder.Services.AddHostedService<IdleMemory>();
        builder.Services.AddHealthChecks();
    }

    private static void WarnOfAnonymousAccess(WebApplication app)
    {
        var addresses = ListenAddresses.From(app.Configuration);
        var access = app.Services.GetRequiredService<IOptions<AccessOptions>>().Value;
        if (access.AllowAnonymous && addresses.Open.Count > 0)
        {
            Log.Anonymous(app.Logger, addresses.Open[0]);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1910,
            LogLevel.Warning,
            "Anyone who can reach {Address} has full access: FileTransfer:AllowAnonymous is true"
        )]
        public static partial void Anonymous(ILogger logger, string address);
    }
}
