using System.Net;
using System.Net.Sockets;
using FileTransfer.Cli;
using FileTransfer.Cli.Output;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Cli;

/// <summary>How a run of the program ended and what it said.</summary>
internal sealed record CliResult(ExitCode Code, string Out, string Error)
{
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Runs the program in this process, with streams and an environment of its own and a folder for its files.</summary>
internal sealed class CliHarness : IDisposable
{
    public const string Owner = "0x1111111111111111111111111111111111111111111111111111111111111111";
    public const string Bucket = "0x2222222222222222222222222222222222222222222222222222222222222222";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("filetransfer-cli-");

    private readonly List<Socket> _taken = [];

    public Dictionary<string, string> Environment { get; } =
        new(StringComparer.Ordinal) { ["FILETRANSFER_OWNER"] = Owner, ["FILETRANSFER_BUCKET"] = Bucket };

    public byte[] Input { get; set; } = [];

    /// <summary>What went to standard output as bytes.</summary>
    public MemoryStream Output { get; } = new();

    public TimeSpan StallPeriod { get; set; } = TimeSpan.FromSeconds(20);

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public string Folder => _folder.FullName;

    public async Task<CliResult> RunAsync(string[] args, CancellationToken cancellationToken = default)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var streams = new CliStreams
        {
            Out = TextWriter.Synchronized(output),
            Error = TextWriter.Synchronized(error),
            OpenInput = () => new MemoryStream(Input),
            OpenOutput = () => Output,
            ErrorIsTerminal = false,
            OutputIsTerminal = false,
            Variable = name => Environment.GetValueOrDefault(name),
            StallPeriod = StallPeriod,
            Time = Time,
        };
        var code = await Program.RunAsync(args, streams, cancellationToken);
        return new CliResult((ExitCode)code, output.ToString(), error.ToString());
    }

    public Task<CliResult> RunAsync(params string[] args) => RunAsync(args, CancellationToken.None);

    public string PathOf(string name) => Path.Combine(Folder, name);

    public string Write(string name, byte[] content)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static FileMetadata Metadata(string location, byte[] content)
    {
        ByteString.TryParseHex(Owner, out var owner).ShouldBeTrue();
        ByteString.TryParseHex(Bucket, out var bucket).ShouldBeTrue();
        return new FileMetadata(
            owner,
            bucket,
            ByteString.FromUtf8(location),
            (ulong)content.Length,
            ContentFingerprint.Of(content)
        );
    }

    /// <summary>A URL where nobody listens, nor can: its port is taken until the end.</summary>
    public string DeadUrl()
    {
        var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _taken.Add(taken);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndPoint!).Port}";
    }

    public void Dispose()
    {
        Output.Dispose();
        _taken.ForEach(socket => socket.Dispose());
        _folder.Delete(recursive: true);
    }
}
