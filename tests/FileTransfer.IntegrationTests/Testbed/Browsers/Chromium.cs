using System.Runtime.CompilerServices;
using Microsoft.Playwright;

namespace FileTransfer.IntegrationTests.Testbed.Browsers;

/// <summary>A fact about a page; skipped, and says how to have it, where there is no Chromium.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Skip = Chromium.Hindrance;
}

/// <summary>The same of several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Skip = Chromium.Hindrance;
}

/// <summary>A real Chromium without a window: that of <c>FILETRANSFER_CHROMIUM</c>, or the one on PATH.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] _names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private readonly IPlaywright _driver;
    private readonly IBrowser _browser;

    private Chromium(IPlaywright driver, IBrowser browser) => (_driver, _browser) = (driver, browser);

    public static string? Hindrance { get; } =
        Program is null
            ? "There is no Chromium: install it (Debian: apt-get install chromium), or name one by FILETRANSFER_CHROMIUM."
            : null;

    private static string? Program =>
        Environment.GetEnvironmentVariable("FILETRANSFER_CHROMIUM") is { Length: > 0 } named
            ? named
            : (Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(Path.PathSeparator)
                .SelectMany(folder => _names.Select(name => Path.Combine(folder, name)))
                .FirstOrDefault(File.Exists);

    public static async Task<Chromium> StartAsync()
    {
        Assertions.SetDefaultExpectTimeout(20_000);
        var driver = await Playwright.CreateAsync();
        var browser = await driver.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Program, Args = ["--disable-gpu"] }
        );
        return new Chromium(driver, browser);
    }

    /// <summary>A page with storage of its own, as a new visitor has it.</summary>
    /// <param name="prepare">Done with the page before it is loaded.</param>
    public async Task<BrowsedPage> OpenAsync(
        Uri url,
        int width = 1280,
        ColorScheme scheme = ColorScheme.Light,
        Func<IPage, Task>? prepare = null
    )
    {
        var context = await _browser.NewContextAsync(
            new BrowserNewContextOptions
            {
                ViewportSize = new ViewportSize { Width = width, Height = 900 },
                ColorScheme = scheme,
                ReducedMotion = ReducedMotion.Reduce,
                BaseURL = url.ToString(),
            }
        );
        var page = new BrowsedPage(context, await context.NewPageAsync());
        await (prepare?.Invoke(page.Page) ?? Task.CompletedTask);
        await page.Page.GotoAsync("/");
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _driver.Dispose();
    }
}
