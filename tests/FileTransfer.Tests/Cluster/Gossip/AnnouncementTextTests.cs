using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Identity;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Tests.Cluster.Gossip;

public sealed class AnnouncementTextTests
{
    private static readonly DateTimeOffset _now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private readonly NodeKeys _keys = NodeKeys.Create();

    [Fact]
    public void What_a_node_says_is_read_as_it_was_said()
    {
        var signed = AnnouncementText.Sign(Said(_keys.Rotate(), out var key), key);
        var read = Read(signed.Text);
        read.Refused.ShouldBeNull();
        AnnouncementText.Sign(read.Read!.Content, key).Text.Split('.')[..2].ShouldBe(signed.Text.Split('.')[..2]);
        read.Read.Text.ShouldBe(signed.Text);
        read.Read.Content.Keys.Count.ShouldBe(2);
    }

    /// <summary>By RFC 7515 and nothing of this program.</summary>
    [Fact]
    public void Others_read_and_write_it_by_the_words_of_the_protocol()
    {
        var parts = AnnouncementText.Sign(Said(_keys, out var key), key).Text.Split('.');
        var payload = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        using var plain = ECDsa.Create();
        plain.ImportSubjectPublicKeyInfo(Convert.FromBase64String((string)payload["keys"]![0]!), out _);
        plain
            .VerifyData(
                Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
                Base64Url.DecodeFromChars(parts[2]),
                HashAlgorithmName.SHA256
            )
            .ShouldBeTrue();
        Encoding
            .ASCII.GetString(Base64Url.DecodeFromChars(parts[0]))
            .ShouldBe("""{"alg":"ES256","typ":"filetransfer-announcement"}""");

        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        payload["keys"] = new JsonArray(Convert.ToBase64String(other.ExportSubjectPublicKeyInfo()));
        payload["more"] = "of a later version";
        var words = $"{parts[0]}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload.ToJsonString()))}";
        var signature = other.SignData(Encoding.ASCII.GetBytes(words), HashAlgorithmName.SHA256);
        Read($"{words}.{Base64Url.EncodeToString(signature)}").Read!.Name.ToString().ShouldBe("berlin/a");
    }

    [Fact]
    public void A_changed_word_or_another_key_is_no_signature()
    {
        var parts = AnnouncementText.Sign(Said(_keys, out var key), key).Text.Split('.');
        var other = AnnouncementText.Sign(Said(_keys, out _) with { Version = 8 }, key).Text.Split('.');
        Read($"{parts[0]}.{other[1]}.{parts[2]}").Refused.ShouldBe(AnnouncementRefusal.Signature);
        Read($"{parts[0]}.{parts[1]}.AA").Refused.ShouldBe(AnnouncementRefusal.Signature);
        Read(AnnouncementText.Sign(Said(_keys, out _), NodeKey.Create()).Text).Refused.ShouldBe(AnnouncementRefusal.Signature);
    }

    [Fact]
    public void A_clock_an_hour_off_and_what_has_expired_are_refused()
    {
        RefusedAt(said => said with { IssuedAt = _now.AddHours(1), ExpiresAt = _now.AddHours(2) });
        RefusedAt(said => said with { IssuedAt = _now.AddHours(-25), ExpiresAt = _now.AddHours(-1) });
        RefusedAt(said => said with { ExpiresAt = _now });
        RefusedAt(said => said with { ExpiresAt = said.IssuedAt.AddHours(25) });
        Read(AnnouncementText.Sign(Said(_keys, out var key) with { IssuedAt = _now.AddMinutes(5) }, key).Text)
            .Refused.ShouldBeNull();

        void RefusedAt(Func<Announcement, Announcement> change) =>
            Read(AnnouncementText.Sign(change(Said(_keys, out var key)), key).Text).Refused.ShouldBe(AnnouncementRefusal.Clock);
    }

    [Fact]
    public void A_second_key_that_has_not_signed_the_first_is_refused()
    {
        var (mine, stolen) = (NodeKeys.Create().Rotate(), NodeKeys.Create());
        var said = Said(mine, out var key) with { Keys = [mine.Current.Public, stolen.Current.Public] };
        Read(AnnouncementText.Sign(said, key).Text).Refused.ShouldBe(AnnouncementRefusal.Key);
    }

    [Fact]
    public void What_is_no_announcement_is_malformed()
    {
        var good = AnnouncementText.Sign(Said(_keys, out var key), key).Text;
        var json = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(good.Split('.')[1]));
        foreach (
            var text in (string[])
                [
                    "",
                    "..",
                    good + ".",
                    good.Replace('.', ' '),
                    "=" + good,
                    Signed("""{"alg":"none","typ":"filetransfer-announcement"}""", json),
                    Signed(AnnouncementText.Header, "{}"),
                    Signed(AnnouncementText.Header, "null"),
                    Signed(AnnouncementText.Header, json.Replace("http://", "ftp://", StringComparison.Ordinal)),
                    Signed(AnnouncementText.Header, json.Replace("\"berlin\"", "\"ber/lin\"", StringComparison.Ordinal)),
                    Signed(
                        AnnouncementText.Header,
                        json.Replace("\"rotation\":null", "\"rotation\":\"AAAA\"", StringComparison.Ordinal)
                    ),
                    Signed(AnnouncementText.Header, json.Replace("0x22", "two", StringComparison.Ordinal)),
                    Signed(AnnouncementText.Header, json.Replace("\"node\":\"a\"", "\"node\":null", StringComparison.Ordinal)),
                    Signed(AnnouncementText.Header, json + new string(' ', SignedAnnouncement.Longest)),
                ]
        )
        {
            Read(text).ShouldBe((null, AnnouncementRefusal.Malformed), text);
        }

        string Signed(string header, string payload)
        {
            var words = $"{Encode(header)}.{Encode(payload)}";
            return $"{words}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(words)))}";
        }

        static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public void Buckets_that_there_is_no_room_for_are_left_out()
    {
        var bucket = "0x" + new string('2', 128);
        var said = Said(_keys, out var key) with { Buckets = [.. Enumerable.Repeat(bucket, Announcement.MostBuckets)] };
        var signed = AnnouncementText.Sign(said, key);
        signed.Text.Length.ShouldBeLessThanOrEqualTo(SignedAnnouncement.Longest);
        Read(signed.Text).Read!.Content.Buckets.ShouldBeEmpty();
    }

    private static (SignedAnnouncement? Read, AnnouncementRefusal? Refused) Read(string text) =>
        AnnouncementText.Read(text, _now);

    private static Announcement Said(NodeKeys keys, out NodeKey key)
    {
        key = keys.Current;
        return new Announcement(
            new PeerName("berlin", new NodeId("a")),
            1_777_000_000_000,
            7,
            [new Uri("http://10.0.0.1:7070"), new Uri("https://a.example")],
            "auto",
            true,
            Guid.Parse("9f0c2ab0-4e5f-4c9e-8e43-5d3d7f1f6a01"),
            ["0x22"],
            keys.Public,
            keys.Rotation,
            _now,
            _now.AddHours(24)
        );
    }
}
