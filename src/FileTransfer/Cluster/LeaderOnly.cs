using FileTransfer.Cluster.Peers;

namespace FileTransfer.Cluster;

/// <summary>Lets only the leader answer. Other nodes name it, or forward the request where they are told to.</summary>
internal sealed class LeaderOnly(Leadership leadership, ThisNode node, WriteForwarder forwarder) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var isForwarded = false;
        try
        {
            if (leadership.IsLeading)
            {
                return await next(context);
            }

            isForwarded = forwarder.Takes(context.HttpContext);
        }
        catch (NotLeadingException)
        {
            // It stopped leading while it worked; nothing of it was committed.
        }

        return await ToLeaderAsync(context.HttpContext, isForwarded);
    }

    private async Task<IResult> ToLeaderAsync(HttpContext context, bool isForwarded)
    {
        var leader = await leadership.FindLeaderAsync(context.RequestAborted);
        if (leader is not null && leader.Node != node.Id)
        {
            if (isForwarded)
            {
                return await forwarder.ForwardAsync(context, leader);
            }

            return ClusterRoutes.NotLeader(node.Id, leader);
        }

        context.Response.Headers.RetryAfter = "1";
        return ClusterRoutes.NoLeader(leadership);
    }
}
