using System.Collections.Concurrent;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace FileTransfer.IntegrationTests.Testbed.Browsers;

/// <summary>A page that somebody looks at, and what goes wrong on it meanwhile.</summary>
public sealed class BrowsedPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly ConcurrentQueue<string> _asked = new();

    internal BrowsedPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.SetDefaultTimeout(20_000);
        page.PageError += (_, fault) => _faults.Enqueue(fault);
        page.Request += (_, request) => _asked.Enqueue(request.Url);
        page.Console += (_, message) =>
        {
            // That an answer is an error is told by the browser itself, and is no fault of the page.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                _faults.Enqueue(message.Text);
            }
        };
    }

    public IPage Page { get; }

    /// <summary>Exceptions, and what the browser refused for the content policy's sake.</summary>
    public IReadOnlyCollection<string> Faults => _faults;

    /// <summary>Every address that was asked.</summary>
    public IReadOnlyCollection<string> Asked => _asked;

    public ILocator Section(string id) => Page.Locator($"section#{id}");

    public ILocator Row(string section, string text) =>
        Section(section).Locator("tbody tr", new LocatorLocatorOptions { HasText = text });

    /// <summary>What axe finds that is serious: rule, and the elements.</summary>
    public async Task<IReadOnlyList<string>> SeriousAccessibilityFaultsAsync()
    {
        var found = await Page.RunAxe();
        return
        [
            .. found
                .Violations.Where(violation => violation.Impact is "serious" or "critical")
                .Select(violation => $"{violation.Id}: {string.Join("; ", violation.Nodes.Select(node => node.Html))}"),
        ];
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
