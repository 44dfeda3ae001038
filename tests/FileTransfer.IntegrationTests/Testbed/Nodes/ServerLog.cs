using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>What a server's process prints, and the address that it says there that it listens at: the system chooses the port.</summary>
internal sealed partial class ServerLog
{
    private readonly StringBuilder _text = new();
    private Uri? _address;

    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>As long as it is not known, asking there fails as it does where nobody listens.</summary>
    public Uri Address =>
        Volatile.Read(ref _address)
        ?? throw new HttpRequestException(HttpRequestError.ConnectionError, $"It has not said yet where it listens:\n{Text}");

    public void Append(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not { } text)
        {
            return;
        }

        lock (_text)
        {
            _text.AppendLine(text);
        }

        if (Listening().Match(text) is { Success: true } said)
        {
            Volatile.Write(ref _address, new Uri(said.Groups["url"].Value));
        }
    }

    [GeneratedRegex(
        @"Now listening on: (?<url>https?://127\.0\.0\.1:[0-9]+)",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex Listening();
}
