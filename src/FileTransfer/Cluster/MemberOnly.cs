namespace FileTransfer.Cluster;

/// <summary>Lets a node answer only while it has joined its cluster: before that the database may have no cluster, or be another's.</summary>
internal sealed class MemberOnly(ClusterMembership membership) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        membership.NotJoinedBecause is { } reason
            ? Problem.Of(
                ProblemTypes.DatabaseUnavailable,
                $"This node has not joined its cluster: {reason}. Send the request again in 5 seconds, or to another node."
            )
            : await next(context);
}
