using FileTransfer.Catalog.Providers;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Cli.Simulation;

/// <summary>Who has the content and who wants it: what the nodes' shared database knows.</summary>
internal sealed class SimulatedCatalog(SimulatedNode leader, Random random)
{
    /// <summary>Looked at of many that have it: the database looks at all.</summary>
    private const int Looked = 4 * FileProviders.Most;

    private readonly List<SimulatedNode> _holders = [leader];
    private readonly PriorityQueue<SourceHint, double> _drawn = new();

    /// <summary>Nodes that are there and do not have it yet.</summary>
    public int Wanting { get; set; }

    /// <summary>Who has all of it, of those a node may ask: drawn as the queue does it, the newer the likelier.</summary>
    public void AddHoldings(List<SourceHint> hints, TimeSpan now)
    {
        _drawn.Clear();
        var looked = Math.Min(Looked, _holders.Count);
        for (var i = 0; i < looked; i++)
        {
            var holder = _holders[looked == _holders.Count ? i : random.Next(_holders.Count)];
            var draw = (now - (holder.StoredAt ?? TimeSpan.Zero)).TotalSeconds * random.NextDouble();
            if (_drawn.Count < FileProviders.Most)
            {
                _drawn.Enqueue(holder.Hint, -draw);
            }
            else
            {
                _drawn.EnqueueDequeue(holder.Hint, -draw);
            }
        }

        hints.AddRange(_drawn.UnorderedItems.Select(item => item.Element).Distinct());
    }

    /// <summary>A node has it from now on.</summary>
    public void Publish(SimulatedNode node)
    {
        _holders.Add(node);
        Wanting--;
    }
}
