using System.Buffers.Text;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Announcements on the wire: a JWS in its compact form (RFC 7515) with one header, exactly.</summary>
public static class AnnouncementText
{
    public const string Header = """{"alg":"ES256","typ":"filetransfer-announcement"}""";

    /// <summary>By how much the clocks of two nodes may differ.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private const int LongestRole = 16;
    private const int SignatureBytes = 64;

    private static readonly string _header = Base64Url.EncodeToString(Encoding.ASCII.GetBytes(Header));

    /// <summary>Buckets that make it longer than there may be are left out: the node may have any then.</summary>
    /// <param name="content">Its first key is that of <paramref name="key"/>.</param>
    /// <param name="key">Signs.</param>
    public static SignedAnnouncement Sign(Announcement content, NodeKey key)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(PayloadOf(content), AnnouncementJson.Default.AnnouncementPayload);
        var signed = $"{_header}.{Base64Url.EncodeToString(payload)}";
        var text = $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
        return text.Length > SignedAnnouncement.Longest && content.Buckets.Count > 0
            ? Sign(content with { Buckets = [] }, key)
            : new SignedAnnouncement(content, text);
    }

    /// <summary>Reads what a node says, and proves that the holder of its first key says it. Whether that key counts is another question.</summary>
    /// <returns>The announcement, or why it is none.</returns>
    public static (SignedAnnouncement? Read, AnnouncementRefusal? Refused) Read(string text, DateTimeOffset now)
    {
        if (
            text.Length > SignedAnnouncement.Longest
            || text.Split('.') is not [var header, var payload, var signature]
            || header != _header
            || Decode(payload) is not { } json
            || ContentOf(json) is not { } content
        )
        {
            return (null, AnnouncementRefusal.Malformed);
        }

        if (
            Decode(signature) is not { } signed
            || !content.Keys[0].Verifies(Encoding.ASCII.GetBytes(text[..text.LastIndexOf('.')]), signed)
        )
        {
            return (null, AnnouncementRefusal.Signature);
        }

        if (
            content.IssuedAt > now + Ahead
            || content.ExpiresAt <= now
            || content.ExpiresAt > content.IssuedAt + Announcement.Lifetime
        )
        {
            return (null, AnnouncementRefusal.Clock);
        }

        return content.Keys is [var current, var former] && !former.HandsOverTo(current, content.Rotation)
            ? (null, AnnouncementRefusal.Key)
            : (new SignedAnnouncement(content, text), null);
    }

    private static byte[]? Decode(string text) =>
        Base64Url.IsValid(text) && !text.Contains('=', StringComparison.Ordinal) ? Base64Url.DecodeFromChars(text) : null;

    private static AnnouncementPayload PayloadOf(Announcement content) =>
        new(
            content.Name.Cluster,
            content.Name.Node.Value,
            content.Generation,
            content.Version,
            [.. content.Urls.Select(url => url.OriginalString)],
            content.Role,
            content.Leads,
            content.FeedEpoch,
            content.Buckets,
            [.. content.Keys.Select(key => key.ToString())],
            content.Rotation is { } rotation ? Convert.ToBase64String(rotation) : null,
            content.IssuedAt,
            content.ExpiresAt
        );

    /// <summary>Null where it is not what this node could have written.</summary>
    private static Announcement? ContentOf(byte[] json)
    {
        try
        {
            var payload = JsonSerializer.Deserialize(json, AnnouncementJson.Default.AnnouncementPayload);
            return payload is not null && Fits(payload)
                ? new Announcement(
                    new PeerName(payload.Cluster, new NodeId(payload.Node)),
                    payload.Generation,
                    payload.Version,
                    [.. payload.Urls.Select(url => new Uri(url))],
                    payload.Role,
                    payload.Leads,
                    payload.FeedEpoch,
                    payload.Buckets,
                    [.. payload.Keys.Select(key => PublicKey.FromText(key)!)],
                    payload.Rotation is { } rotation ? Convert.FromBase64String(rotation) : null,
                    payload.IssuedAt,
                    payload.ExpiresAt
                )
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Fits(AnnouncementPayload payload) =>
        PeerName.FromText($"{payload.Cluster}/{payload.Node}") is not null
        && payload is { Generation: >= 0, Version: >= 0 }
        && payload.Urls.Count is > 0 and <= Announcement.MostUrls
        && payload.Urls.All(IsAddress)
        && payload.Role.Length <= LongestRole
        && payload.Buckets.Count <= Announcement.MostBuckets
        && payload.Buckets.All(bucket => BucketId.TryParse(bucket, out _))
        && payload.Keys.Count is 1 or 2
        && payload.Keys.All(key => PublicKey.FromText(key) is not null)
        && payload.Keys.Count == 2 == payload.Rotation is not null
        && (payload.Rotation is null || Convert.TryFromBase64String(payload.Rotation, new byte[SignatureBytes], out _));

    private static bool IsAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);
}

/// <summary>What is missing is not taken for nothing.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(AnnouncementPayload))]
internal sealed partial class AnnouncementJson : JsonSerializerContext;
