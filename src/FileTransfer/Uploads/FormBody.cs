using System.Net.Http.Headers;

namespace FileTransfer.Uploads;

/// <summary>Tells a form from bytes that are only called one: <c>curl --data-binary</c> calls everything <c>application/x-www-form-urlencoded</c>.</summary>
internal static class FormBody
{
    private const string MediaType = "application/x-www-form-urlencoded";

    /// <summary>A form has its first <c>=</c> long before.</summary>
    private const int LookedAt = 4096;

    /// <summary>What the serializer of forms writes (URL standard, section 5.2); a name comes before the first <c>=</c>.</summary>
    private static readonly SearchValues<byte> _ofForms = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-._+%=&"u8
    );

    /// <summary>Whether the body says that it is a form and begins like one. Nothing of it is consumed.</summary>
    public static async ValueTask<bool> IsFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (
            !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !string.Equals(type.MediaType, MediaType, StringComparison.OrdinalIgnoreCase)
        )
        {
            return false;
        }

        var read = await request.BodyReader.ReadAtLeastAsync(LookedAt, cancellationToken);
        var isForm = LooksLikeForm(read.Buffer.Slice(0, Math.Min(LookedAt, read.Buffer.Length)));
        request.BodyReader.AdvanceTo(read.Buffer.Start);
        return isForm;
    }

    private static bool LooksLikeForm(ReadOnlySequence<byte> beginning)
    {
        foreach (var piece in beginning)
        {
            if (piece.Span.ContainsAnyExcept(_ofForms))
            {
                return false;
            }
        }

        return beginning.PositionOf((byte)'=') is { } equals && beginning.Slice(0, equals).Length > 0;
    }
}
