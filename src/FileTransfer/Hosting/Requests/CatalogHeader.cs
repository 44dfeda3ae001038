using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Peers;

namespace FileTransfer.Hosting.Requests;

/// <summary>Tells a node that asks which catalog this one works on, and hears which one the other does. Nobody without scope <c>node</c> is told or heard.</summary>
internal sealed class CatalogHeader(RequestDelegate next, Leadership leadership, FeedHistory history)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (
            context.Request.Headers.TryGetValue(CatalogSight.Header, out var told)
            && context.User.HasClaim(AccessScopes.Claim, AccessScopes.Node)
        )
        {
            leadership.Hear(told);
            if (leadership.Sight is { } own)
            {
                var answer = own.AnswerTo(CatalogSight.Parse(told), [.. history.Epochs.Select(one => one.Epoch)]);
                context.Response.Headers[CatalogSight.Header] = answer.Text;
            }
        }

        return next(context);
    }
}
