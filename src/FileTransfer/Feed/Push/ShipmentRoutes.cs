using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Feed.Push;

/// <summary>Takes what other clusters ship here.</summary>
public static class ShipmentRoutes
{
    public static void MapShipments(this IEndpointRouteBuilder routes)
    {
        var shipments = routes
            .MapGroup("")
            .RequireAuthorization(AccessScopes.Node)
            .AtTheLeaderOnly()
            .WithTags("Shipping")
            .ProducesProblems(
                ProblemTypes.ClusterNotAccepted,
                ProblemTypes.ShipmentInvalid,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
        shipments
            .MapPost(Routes.Handshake, GreetAsync)
            .WithSummary("Tells how far the feed of a cluster goes; answers how far it is applied here")
            .Produces<ShipmentPositions>()
            .ProducesProblems(ProblemTypes.BadRequest);
        shipments
            .MapPost(Routes.Shipments, ReceiveAsync)
            .TakesOctets(
                "u32 LE length ‖ JSON: cluster, buckets, and page (mutations of a bin) or files (of a bin that is compared) ‖ for each Add of the "
                    + "page, in order, i64 LE size ‖ bytes of its content; -1 and no bytes where it does not come along.",
                ShipmentBody.MediaType
            )
            .WithSummary(
                "Applies mutations of a cluster's feed, with the contents that come along; answered once all of that is durable"
            )
            .Produces<ShipmentPosition>()
            .ProducesProblems(ProblemTypes.ShipmentOutOfOrder);
    }

    private static Task<IResult> GreetAsync(
        ShipmentHandshake greeting,
        ShipmentIntake intake,
        CancellationToken cancellationToken
    ) =>
        AnswerAsync(async () =>
            intake.RefusalOf(greeting.Cluster)
            ?? TypedResults.Json(await intake.GreetAsync(greeting, cancellationToken), WireJson.Default.ShipmentPositions)
        );

    private static async Task<IResult> ReceiveAsync(ShipmentIntake intake, HttpContext context)
    {
        if (
            !MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || !type.MediaType.Equals(ShipmentBody.MediaType, StringComparison.OrdinalIgnoreCase)
        )
        {
            return Problem.Of(
                ProblemTypes.MediaTypeUnsupported,
                $"A shipment is sent as 'Content-Type: {ShipmentBody.MediaType}'."
            );
        }

        return await AnswerAsync(async () =>
        {
            var shipment = await ShipmentBody.ReadHeaderAsync(context.Request.Body, context.RequestAborted);
            return intake.RefusalOf(shipment.Cluster)
                ?? TypedResults.Json(
                    await intake.TakeAsync(shipment, context.Request.Body, context.RequestAborted),
                    WireJson.Default.ShipmentPosition
                );
        });
    }

    private static async Task<IResult> AnswerAsync(Func<Task<IResult>> answerAsync)
    {
        try
        {
            return await answerAsync();
        }
        catch (UpstreamFaultException fault)
        {
            return Problem.Of(ProblemTypes.ShipmentInvalid, $"The shipment was refused whole: {fault.Message}.");
        }
        catch (OutOfOrderException disorder)
        {
            return Problem.Of(
                ProblemTypes.ShipmentOutOfOrder,
                $"{disorder.Message} Greet this cluster again, and go on from where it is."
            );
        }
    }
}
