namespace FileTransfer.Cluster.Peers;

/// <summary>The body of a request on its way to the leader, piece by piece as it comes.</summary>
/// <param name="length">What the caller promised; null where it is sent in chunks.</param>
/// <param name="patience">Ends the request when the leader stands still; the caller's pauses are watched elsewhere.</param>
internal sealed class ForwardedBody(PipeReader body, long? length, CancellationTokenSource patience) : HttpContent
{
    private static readonly TimeSpan _perPiece = TimeSpan.FromMinutes(1);

    /// <summary>How long it may take to answer when it has all: it proves the whole, and makes it durable.</summary>
    private static readonly TimeSpan _toAnswer = TimeSpan.FromMinutes(5);

    protected override bool TryComputeLength(out long computed)
    {
        computed = length.GetValueOrDefault();
        return length is not null;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        bool isEnd;
        do
        {
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            var read = await body.ReadAsync(cancellationToken);
            patience.CancelAfter(_perPiece);
            foreach (var piece in read.Buffer)
            {
                await stream.WriteAsync(piece, cancellationToken);
            }

            isEnd = read.IsCompleted;
            body.AdvanceTo(read.Buffer.End);
        } while (!isEnd);

        patience.CancelAfter(_toAnswer);
    }
}
