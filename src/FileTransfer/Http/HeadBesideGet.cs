namespace FileTransfer.Http;

/// <summary>Marks a route that answers HEAD because it answers GET: with the same status and headers, and no body.</summary>
public sealed record HeadBesideGet
{
    internal static readonly HeadBesideGet Mark = new();
}

public static class HeadRoutes
{
    /// <summary>Lets every route of a group that answers GET answer HEAD (RFC 9110, section 9.1); a stream of events ends with its headers then.</summary>
    public static void AnswerHeadBesideGet(this RouteGroupBuilder routes) =>
        ((IEndpointConventionBuilder)routes).Finally(endpoint =>
        {
            var metadata = endpoint.Metadata;
            if (metadata.OfType<HttpMethodMetadata>().LastOrDefault() is { HttpMethods: ["GET"] } get)
            {
                metadata[metadata.IndexOf(get)] = new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]);
                metadata.Add(HeadBesideGet.Mark);
            }
        });
}
