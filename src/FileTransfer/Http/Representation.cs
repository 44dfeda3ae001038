using Microsoft.Net.Http.Headers;

namespace FileTransfer.Http;

/// <summary>One form of a content, as HTTP names it: octets with a strong tag that never change.</summary>
/// <param name="ETag">Its strong name.</param>
/// <param name="Length">Bytes in the whole of it.</param>
/// <param name="Name">Under which name it is saved; null where none is known.</param>
public sealed record Representation(EntityTagHeaderValue ETag, long Length, ContentName? Name = null)
{
    public Representation(string etag, long length, ContentName? name = null)
        : this(new EntityTagHeaderValue(etag), length, name) { }

    /// <summary>What the conditions and the range of a GET or HEAD come to.</summary>
    public ConditionalAnswer AnswerTo(HttpRequest request) =>
        ConditionalRequest.Evaluate(request.Method, request.Headers, ETag, Length, Name?.Modified);
}
