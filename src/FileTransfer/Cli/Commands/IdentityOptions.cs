using System.CommandLine;
using System.CommandLine.Parsing;

namespace FileTransfer.Cli.Commands;

/// <summary>The options that name a file together with its content: owner and bucket.</summary>
internal sealed class IdentityOptions
{
    private const string OwnerVariable = "FILETRANSFER_OWNER";
    private const string BucketVariable = "FILETRANSFER_BUCKET";

    private readonly Option<ByteString> _owner = HexOption("--owner", $"The owner's id (environment: {OwnerVariable}).");
    private readonly Option<ByteString> _bucket = HexOption("--bucket", $"The bucket's id (environment: {BucketVariable}).");

    public IEnumerable<Option> All => [_owner, _bucket];

    public ByteString Owner(Invocation run) => Value(run, _owner, OwnerVariable);

    public ByteString Bucket(Invocation run) => Value(run, _bucket, BucketVariable);

    public static Option<ByteString> HexOption(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "HEX",
            CustomParser = ParseHex,
        };

    public static Argument<FileKey> Key() => Key(ArgumentArity.ExactlyOne);

    public static Argument<FileKey> Key(ArgumentArity arity) =>
        new("KEY")
        {
            Arity = arity,
            Description = "The file key: 64 hex digits, with or without 0x.",
            CustomParser = result => ParseKey(result, result.Tokens[0].Value),
        };

    public static Argument<FileKey[]> Keys() => Keys(ArgumentArity.OneOrMore);

    public static Argument<FileKey[]> Keys(ArgumentArity arity) =>
        new("KEY")
        {
            Description = "File keys: 64 hex digits each, with or without 0x.",
            Arity = arity,
            CustomParser = result => [.. result.Tokens.Select(token => ParseKey(result, token.Value))],
        };

    public static Argument<ByteString> BucketArgument() =>
        new("BUCKET") { Description = "The bucket's id: hex digits, with or without 0x.", CustomParser = ParseHex };

    private static ByteString Value(Invocation run, Option<ByteString> option, string variable)
    {
        if (run.Given(option) is { } given)
        {
            return given;
        }

        var text = run.Streams.Setting(variable);
        return ByteString.TryParseHex(text, out var octets)
            ? octets
            : throw new CliException(
                ExitCode.Usage,
                text is null
                    ? $"{option.Name} is missing. Give it as hex digits, or set {variable}."
                    : $"{variable} is '{text}', which is not hex. Write an even number of hex digits."
            );
    }

    private static ByteString ParseHex(ArgumentResult result)
    {
        if (!ByteString.TryParseHex(result.Tokens[0].Value, out var octets))
        {
            result.AddError($"'{result.Tokens[0].Value}' is not hex. Write an even number of hex digits, with or without 0x.");
        }

        return octets;
    }

    private static FileKey ParseKey(ArgumentResult result, string text)
    {
        if (!FileKey.TryParse(text, out var key))
        {
            result.AddError($"'{text}' is not a file key. Write 64 hex digits, with or without 0x.");
        }

        return key;
    }
}
