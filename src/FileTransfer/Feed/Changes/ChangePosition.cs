namespace FileTransfer.Feed.Changes;

/// <summary>How far somebody has read what changed in the cluster: in which history of the feed, and of each bin the last sequence.</summary>
public sealed record ChangePosition(Guid Epoch, IReadOnlyList<long> Sequences)
{
    public static ChangePosition? Parse(string text)
    {
        var parts = text.Split('-');
        if (parts is not [var epoch, var numbers] || !Guid.TryParseExact(epoch, "N", out var id))
        {
            return null;
        }

        var sequences = new List<long>(FeedPage.Bins);
        foreach (var number in numbers.Split('.'))
        {
            if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
            {
                return null;
            }

            sequences.Add(sequence);
        }

        return sequences.Count == FeedPage.Bins ? new ChangePosition(id, sequences) : null;
    }

    public override string ToString() => $"{Epoch:N}-{string.Join('.', Sequences)}";
}
