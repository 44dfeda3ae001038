using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Simulation;

/// <summary>Who has the content, who wants it, and who waits: what the nodes' shared database knows.</summary>
internal sealed class SimulatedCatalog(SimulatedNode leader, Random random)
{
    private const int MostHoldings = 16;
    private const int NewestHoldings = 8;
    private const int WokenByPublication = 4;

    private readonly List<SimulatedNode> _holders = [leader];
    private readonly List<SimulatedNode> _waiting = [];

    /// <summary>Nodes that are there and do not have it yet.</summary>
    public int Wanting { get; set; }

    /// <summary>Who a node may ask: the newest holders, who are idle, and some of the older, of whom a few are idle again.</summary>
    public List<SourceHint> Holdings()
    {
        var hints = new List<SourceHint>(MostHoldings);
        var older = Math.Max(0, _holders.Count - NewestHoldings);
        for (var i = _holders.Count - 1; i >= older; i--)
        {
            hints.Add(_holders[i].Hint);
        }

        if (older <= MostHoldings - NewestHoldings)
        {
            hints.AddRange(_holders.Take(older).Select(holder => holder.Hint));
            return hints;
        }

        while (hints.Count < MostHoldings)
        {
            var drawn = _holders[random.Next(older)].Hint;
            if (!hints.Contains(drawn))
            {
                hints.Add(drawn);
            }
        }

        return hints;
    }

    /// <summary>A node has it from now on, and some of those that wait for their turn are woken.</summary>
    public void Publish(SimulatedNode node)
    {
        _holders.Add(node);
        Wanting--;
        for (var woken = 0; woken < WokenByPublication && _waiting.Count > 0; woken++)
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
