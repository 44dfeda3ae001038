using System.CommandLine;
using System.CommandLine.Parsing;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>Which nodes to talk to, as whom, and for how long to try.</summary>
internal sealed class ConnectionOptions
{
    private const string DefaultUrl = "http://127.0.0.1:7070";
    private const string UrlVariable = "FILETRANSFER_URL";
    private const string TokenName = "--token";
    private const string TokenVariable = "FILETRANSFER_TOKEN";
    private const string CertificateVariable = "FILETRANSFER_CERTIFICATE";
    private const string AuthorityVariable = "FILETRANSFER_AUTHORITY";
    private static readonly TimeSpan _defaultRetry = TimeSpan.FromSeconds(60);

    private readonly Option<Uri[]> _url = new("--url")
    {
        Description = $"A node's URL; repeat it to name several nodes to try (environment: {UrlVariable}; default {DefaultUrl}).",
        HelpName = "URL",
        CustomParser = ParseUrls,
    };

    private readonly Option<string> _token = CliOption.Text(
        TokenName,
        "TOKEN",
        $"The bearer token; other users of this machine can see it here, so prefer the environment ({TokenVariable})."
    );

    private readonly Option<string> _certificate = CliOption.Text(
        "--certificate",
        "FILE",
        $"A client certificate to show, with its key: a PEM or PFX file (environment: {CertificateVariable})."
    );

    private readonly Option<string> _authority = CliOption.Text(
        "--authority",
        "FILE",
        $"PEM file of the authority of the nodes' certificates, instead of those that the system trusts (environment: {AuthorityVariable})."
    );

    private readonly Option<TimeSpan> _retryFor = Duration.Option(
        "--retry-for",
        "How long to retry while nodes are unreachable or have no leader (default 60s)."
    );

    /// <summary>The variables that stand in for options, for the help.</summary>
    public static IReadOnlyList<string> Environment { get; } =
    [
        $"{UrlVariable}     the node's URL, or several to try, separated by commas",
        $"{TokenVariable}   the bearer token",
        $"{CertificateVariable}   the client certificate",
        $"{AuthorityVariable}     the authority of the nodes",
        "FILETRANSFER_OWNER   the owner's id for key and put",
        "FILETRANSFER_BUCKET  the bucket's id for key and put",
    ];

    public IEnumerable<Option> All => [.. WithoutRetry, _retryFor];

    public IEnumerable<Option> WithoutRetry => [_url, _token, _certificate, _authority];

    public NodeSet Connect(Invocation run) => Connect(run, run.Given(_retryFor) ?? _defaultRetry);

    public NodeSet ConnectOnce(Invocation run) => Connect(run, TimeSpan.Zero);

    /// <summary>For what belongs to one node, and must not go to another because that one is away.</summary>
    public NodeSet ConnectToOne(Invocation run) =>
        Urls(run).Length == 1
            ? Connect(run)
            : throw new CliException(
                ExitCode.Usage,
                $"This command is about one node, but several are given. Give one --url, or one URL in {UrlVariable}."
            );

    /// <summary>The token that a run shows; null where it has none.</summary>
    public static string? TokenOf(Invocation run) => run.Parse.GetValue<string?>(TokenName) ?? run.Streams.Setting(TokenVariable);

    private NodeSet Connect(Invocation run, TimeSpan retryFor) =>
        new(
            Urls(run),
            OpenHttp(run),
            new NodeRetry(retryFor, run.Streams.StallPeriod),
            run.Time,
            run.Console.Notice,
            run.CancellationToken
        );

    private HttpClient OpenHttp(Invocation run)
    {
        try
        {
            return NodeClient.OpenHttp(
                TokenOf(run),
                File(_certificate, CertificateVariable) is { } shown
                    ? new CertificateFile("--certificate", shown, null, null, run.Time)
                    : null,
                File(_authority, AuthorityVariable) is { } trusted ? new AuthorityFile(trusted, run.Time) : null
            );
        }
        catch (Exception fault) when (CertificateFiles.IsUnreadable(fault))
        {
            throw new CliException(
                ExitCode.Usage,
                $"The file of --certificate or --authority cannot be read: {fault.Message.TrimEnd('.')}. Give a PEM file, for --certificate with its key."
            );
        }
        catch (FormatException)
        {
            throw new CliException(
                ExitCode.Usage,
                "The token has characters that no HTTP header can carry. Give it as it was issued."
            );
        }

        string? File(Option<string> option, string variable) => run.Get(option) ?? run.Streams.Setting(variable);
    }

    private Uri[] Urls(Invocation run)
    {
        if (run.Get(_url) is { Length: > 0 } given)
        {
            return given;
        }

        var texts = (run.Streams.Setting(UrlVariable) ?? DefaultUrl).Split(
            ',',
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
        );
        return
        [
            .. texts.Select(text =>
                NodeUrl.TryParse(text, out var url)
                    ? url
                    : throw new CliException(ExitCode.Usage, $"{UrlVariable}: {NotAUrl(text)}")
            ),
        ];
    }

    private static Uri[] ParseUrls(ArgumentResult result)
    {
        List<Uri> urls = [];
        foreach (var token in result.Tokens)
        {
            if (NodeUrl.TryParse(token.Value, out var url))
            {
                urls.Add(url);
            }
            else
            {
                result.AddError(NotAUrl(token.Value));
            }
        }

        return [.. urls];
    }

    private static string NotAUrl(string text) => $"'{text}' is not a node's URL. Write it like {DefaultUrl}.";
}
