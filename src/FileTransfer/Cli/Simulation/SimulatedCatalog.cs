using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Cli.Simulation;

/// <summary>Who has the content, who wants it, and who waits: what the nodes' shared database knows.</summary>
internal sealed class SimulatedCatalog(SimulatedNode leader, Random random)
{
    private readonly List<SimulatedNode> _holders = [leader];
    private readonly List<SimulatedNode> _waiting = [];
    private readonly PriorityQueue<SourceHint, double> _drawn = new();

    /// <summary>Nodes that are there and do not have it yet.</summary>
    public int Wanting { get; set; }

    /// <summary>Who a node may ask: drawn as the queue does it, the newer the likelier.</summary>
    public List<SourceHint> Holdings(TimeSpan now)
    {
        _drawn.Clear();
        foreach (var holder in _holders)
        {
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

        return [.. _drawn.UnorderedItems.Select(item => item.Element)];
    }

    /// <summary>A node has it from now on, and some of those that wait for their turn are woken.</summary>
    public void Publish(SimulatedNode node)
    {
        _holders.Add(node);
        Wanting--;
        for (var woken = 0; woken < ReplicaTransitions.WokenForPermit && _waiting.Count > 0; woken++)
        {
            _waiting[random.Next(_waiting.Count)].Wake();
        }
    }

    public void Wait(SimulatedNode node)
    {
        node.WaitsAt = _waiting.Count;
        _waiting.Add(node);
    }

    public void StopWaiting(SimulatedNode node)
    {
        if (node.WaitsAt is { } index)
        {
            _waiting[index] = _waiting[^1];
            _waiting[index].WaitsAt = index;
            _waiting.RemoveAt(_waiting.Count - 1);
            node.WaitsAt = null;
        }
    }
}
