namespace FileTransfer.Identity;

/// <summary>Addresses that were written into the database: anything may stand there.</summary>
public static class WrittenUrl
{
    /// <summary>Stands for an address that is none: nobody answers there, whatever the network.</summary>
    public static readonly Uri None = new("http://malformed.invalid");

    /// <summary>Null where the text is no address of a node.</summary>
    public static Uri? Read(string text) =>
        !text.AsSpan().ContainsAnyExceptInRange('!', '~') && Uri.TryCreate(text, UriKind.Absolute, out var url) && IsPlain(url)
            ? url
            : null;

    /// <summary>Whether it is one of a node: everybody is shown those, so that they have no name, password or query.</summary>
    public static bool IsPlain(Uri url) =>
        url.IsAbsoluteUri
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
        && url.UserInfo.Length + url.Query.Length == 0;
}
