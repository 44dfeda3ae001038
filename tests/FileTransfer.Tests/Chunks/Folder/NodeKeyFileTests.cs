using System.Diagnostics;
using System.Security.Cryptography;
using FileTransfer.Chunks.Folder;
using FileTransfer.Identity.Signing;
using FileTransfer.Postgres;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Chunks.Folder;

public sealed class NodeKeyFileTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly FakeTimeProvider _time = new();

    private string Path => System.IO.Path.Combine(_store.Root, "node.key");

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_key_is_made_once_and_is_its_owners_alone_to_read()
    {
        var key = Open().Current;
        key.Public.ShouldBe([key.Current.Public]);
        key.Rotation.ShouldBeNull();
        File.GetUnixFileMode(Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Open().Current.Current.Public.ShouldBe(key.Current.Public);
        NodeKeyFile.ReadOrMake(_store.Root).Current.Public.ShouldBe(key.Current.Public);
        Directory.GetFiles(_store.Root, "node.key*").ShouldBe([Path]);
    }

    [Fact]
    public void OpenSSL_reads_the_key_also_after_a_rotation()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/openssl"), "openssl is not installed");
        Open();
        var rotated = NodeKeyFile.Rotate(_store.Root);
        using var openssl = Process.Start(
            new ProcessStartInfo("openssl", ["pkey", "-in", Path, "-pubout", "-outform", "PEM"])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
        var pem = openssl.StandardOutput.ReadToEnd();
        var key = PemEncoding.Find(pem);
        pem[key.Base64Data].ReplaceLineEndings("").ShouldBe(rotated.Current.Public.ToString());
    }

    [Fact]
    public void A_rotation_is_noticed_within_a_second_and_the_former_key_testifies_to_the_new_one()
    {
        var file = Open();
        var first = file.Current;
        NodeKeyFile.Rotate(_store.Root);
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = file.Current;
        second.Public.ShouldBe([second.Current.Public, first.Current.Public]);
        first.Current.Public.HandsOverTo(second.Current.Public, second.Rotation).ShouldBeTrue();
        File.GetUnixFileMode(Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        NodeKeyFile.Rotate(_store.Root);
        _time.Advance(TimeSpan.FromSeconds(1));
        file.Current.Public.ShouldBe([file.Current.Current.Public, second.Current.Public]);
    }

    [Fact]
    public void A_damaged_key_file_ends_a_start_and_says_what_to_do_and_a_running_node_goes_on_with_its_key()
    {
        var file = Open();
        var key = file.Current.Current.Public;
        File.WriteAllText(Path, File.ReadAllText(Path).Replace("-----END", "A-----END", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromSeconds(1));
        file.Current.Current.Public.ShouldBe(key);
        file.Fault.ShouldNotBeNull();

        foreach (var text in (string[])["", "no key", OtherCurve(), Forged()])
        {
            File.WriteAllText(Path, text);
            Should.Throw<FatalStartException>(Open).Message.ShouldContain("Put it back from a backup");
        }
    }

    [Fact]
    public void Of_many_that_make_the_first_key_one_is_kept_and_all_have_it()
    {
        const int Makers = 4;
        using var start = new Barrier(Makers);
        for (var i = 0; i < 20; i++)
        {
            var folder = System.IO.Path.Combine(_store.Root, $"{i}");
            Enumerable
                .Range(0, Makers)
                .AsParallel()
                .WithDegreeOfParallelism(Makers)
                .Select(_ =>
                {
                    start.SignalAndWait();
                    return NodeKeyFile.ReadOrMake(folder).Current.Public.ToString();
                })
                .ToHashSet()
                .ShouldHaveSingleItem();
        }
    }

    private static string OtherCurve() => ECDsa.Create(ECCurve.NamedCurves.nistP384).ExportPkcs8PrivateKeyPem();

    /// <summary>Its former key has signed another one.</summary>
    private static string Forged()
    {
        var rotated = NodeKeys.Create().Rotate();
        return string.Join(
            '\n',
            PemEncoding.WriteString("PRIVATE KEY", NodeKey.Create().ToPkcs8()),
            PemEncoding.WriteString("PUBLIC KEY", rotated.Former!.Info),
            PemEncoding.WriteString("FILETRANSFER ROTATION", rotated.Rotation)
        );
    }

    private NodeKeyFile Open() => new(_store.Store, _time);
}
