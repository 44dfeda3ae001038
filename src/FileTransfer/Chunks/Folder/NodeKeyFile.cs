using System.Security.Cryptography;
using FileTransfer.Chunks.Durability;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Chunks.Folder;

/// <summary><c>node.key</c>: what the node of a folder signs with. Made at the first start, and read again within a second after it was replaced.</summary>
/// <remarks>
/// PEM, and its owner's alone to read: the private key (PKCS#8), and after a rotation the former public key with its signature over the
/// new one.
/// </remarks>
public sealed class NodeKeyFile
{
    private const string KeyLabel = "PRIVATE KEY";
    private const string FormerLabel = "PUBLIC KEY";
    private const string RotationLabel = "FILETRANSFER ROTATION";

    private readonly FileBacked<NodeKeys> _read;

    /// <exception cref="FatalStartException">It is there and cannot be read.</exception>
    public NodeKeyFile(ChunkStore store, TimeProvider time)
    {
        Path = store.Paths.KeyFile;
        _ = ReadOrMake(store.Paths.Root);
        _read = new FileBacked<NodeKeys>(() => Read(Path), time, Path);
    }

    public string Path { get; }

    public NodeKeys Current => _read.Value;

    /// <summary>Why a key that was put in its place is not in use; null where none was, or it is.</summary>
    public string? Fault => _read.Fault;

    /// <summary>Of a folder that another process may use; made where there is none.</summary>
    /// <exception cref="FatalStartException">It is there and cannot be read.</exception>
    public static NodeKeys ReadOrMake(string dataDirectory)
    {
        var path = new StorePaths(dataDirectory).KeyFile;
        try
        {
            if (!File.Exists(path))
            {
                DurableFile.CreateFolder(System.IO.Path.GetDirectoryName(path)!);
                Write(path, NodeKeys.Create(), replaces: false);
            }

            return Read(path);
        }
        catch (Exception e) when (e is CryptographicException or UnauthorizedAccessException)
        {
            throw new FatalStartException(
                $"{path}, which this node signs with, cannot be read: {e.Message} Put it back from a backup, readable for who runs the node; "
                    + "or remove it: a new one is made then, and whoever trusts this node has to be told its public key.",
                e
            );
        }
    }

    /// <summary>Puts a new key in place of the one that is there; a node that runs signs with it within seconds.</summary>
    /// <exception cref="FatalStartException">It is there and cannot be read.</exception>
    public static NodeKeys Rotate(string dataDirectory)
    {
        var next = ReadOrMake(dataDirectory).Rotate();
        Write(new StorePaths(dataDirectory).KeyFile, next, replaces: true);
        return next;
    }

    private static void Write(string path, NodeKeys keys, bool replaces)
    {
        var text = new StringBuilder().AppendLine(PemEncoding.WriteString(KeyLabel, keys.Current.ToPkcs8()));
        if (keys is { Former: { } former, Rotation: { } rotation })
        {
            text.AppendLine(PemEncoding.WriteString(FormerLabel, former.Info));
            text.AppendLine(PemEncoding.WriteString(RotationLabel, rotation));
        }

        var beside = $"{path}.{Guid.NewGuid():n}";
        try
        {
            DurableFile.CreateSecret(beside, Encoding.ASCII.GetBytes(text.ToString()));
            if (replaces)
            {
                DurableFile.Rename(beside, path);
            }
            else
            {
                // Where another process was first, its key counts.
                DurableFile.NameFirst(beside, path);
            }
        }
        finally
        {
            File.Delete(beside);
        }

        DurableFile.FsyncFolder(System.IO.Path.GetDirectoryName(path)!);
    }

    private static NodeKeys Read(string path)
    {
        var text = File.ReadAllText(path);
        var key =
            NodeKey.FromPkcs8(Section(text, KeyLabel))
            ?? throw new CryptographicException("It has no private key of ECDSA on the curve P-256.");
        var (former, rotation) = (Section(text, FormerLabel), Section(text, RotationLabel));
        if (former is null && rotation is null)
        {
            return new NodeKeys(key, null, null);
        }

        var before = former is null ? null : PublicKey.FromText(Convert.ToBase64String(former));
        return before is not null && rotation is not null && before.HandsOverTo(key.Public, rotation)
            ? new NodeKeys(key, before, rotation)
            : throw new CryptographicException("Its former key has not signed the key.");
    }

    private static byte[]? Section(ReadOnlySpan<char> text, string label)
    {
        while (PemEncoding.TryFind(text, out var found))
        {
            if (text[found.Label].SequenceEqual(label))
            {
                return Convert.FromBase64String(text[found.Base64Data].ToString());
            }

            text = text[found.Location.End..];
        }

        return null;
    }
}
