namespace FileTransfer.Cli.Simulation;

/// <summary>Links that flows share by max-min fairness: nobody can have more without taking it from one that has less.</summary>
internal sealed class SimulatedNetwork(VirtualTime time, double up, double down)
{
    /// <summary>Above so many flows that hang together only those next to a change are looked at, each with its even share.</summary>
    private const int LargestExact = 128;

    private readonly List<SimulatedFlow> _together = [];
    private readonly HashSet<SimulatedFlow> _seen = [];
    private readonly Dictionary<SimulatedNode, Link> _ups = [];
    private readonly Dictionary<SimulatedNode, Link> _downs = [];

    public void Begin(SimulatedFlow flow)
    {
        flow.Begin(time.Now);
        flow.From.Sending.Add(flow);
        flow.To.Receiving.Add(flow);
        Share(flow);
    }

    /// <summary>Ends a flow wherever it is.</summary>
    public void End(SimulatedFlow flow)
    {
        flow.Settle(time.Now);
        flow.End();
        flow.From.Sending.Remove(flow);
        flow.To.Receiving.Remove(flow);
        Share(flow);
    }

    /// <summary>Gives new rates to whatever shares a link with a flow, directly or over others.</summary>
    private void Share(SimulatedFlow changed)
    {
        if (Gather(changed))
        {
            Fill();
        }
        else
        {
            foreach (var flow in changed.From.Sending.Concat(changed.To.Receiving))
            {
                SetRate(flow, Math.Min(up / flow.From.Sending.Count, down / flow.To.Receiving.Count));
            }
        }
    }

    private bool Gather(SimulatedFlow changed)
    {
        _together.Clear();
        _seen.Clear();
        Add(changed.From.Sending);
        Add(changed.To.Receiving);
        for (var i = 0; i < _together.Count && _together.Count <= LargestExact; i++)
        {
            Add(_together[i].From.Sending);
            Add(_together[i].To.Receiving);
        }

        return _together.Count <= LargestExact;
    }

    private void Add(List<SimulatedFlow> flows)
    {
        foreach (var flow in flows)
        {
            if (_seen.Add(flow))
            {
                _together.Add(flow);
            }
        }
    }

    /// <summary>Again and again the link that has least for each of its flows gives it to them.</summary>
    private void Fill()
    {
        _ups.Clear();
        _downs.Clear();
        foreach (var flow in _together)
        {
            LinkOf(_ups, flow.From, up).Flows++;
            LinkOf(_downs, flow.To, down).Flows++;
        }

        while (_together.Count > 0)
        {
            var least = Math.Min(Least(_ups), Least(_downs));
            for (var i = _together.Count - 1; i >= 0; i--)
            {
                var flow = _together[i];
                var (from, to) = (_ups[flow.From], _downs[flow.To]);
                if (Math.Min(from.Share, to.Share) <= least * (1 + 1e-9))
                {
                    SetRate(flow, least);
                    from.Take(least);
                    to.Take(least);
                    _together[i] = _together[^1];
                    _together.RemoveAt(_together.Count - 1);
                }
            }
        }
    }

    private void SetRate(SimulatedFlow flow, double rate)
    {
        flow.Settle(time.Now);
        if (flow.SetRate(rate))
        {
            var version = flow.Version;
            time.After(
                TimeSpan.FromSeconds(flow.BytesLeft / rate),
                () =>
                {
                    if (flow.Version == version)
                    {
                        End(flow);
                        flow.Ended();
                    }
                }
            );
        }
    }

    private static double Least(Dictionary<SimulatedNode, Link> links)
    {
        var least = double.MaxValue;
        foreach (var link in links.Values)
        {
            least = link.Flows > 0 ? Math.Min(least, link.Share) : least;
        }

        return least;
    }

    private static Link LinkOf(Dictionary<SimulatedNode, Link> links, SimulatedNode node, double capacity)
    {
        if (!links.TryGetValue(node, out var link))
        {
            links.Add(node, link = new Link(capacity));
        }

        return link;
    }

    private sealed class Link(double left)
    {
        private double _left = left;

        public int Flows { get; set; }

        public double Share => _left / Flows;

        public void Take(double rate)
        {
            _left = Math.Max(0, _left - rate);
            Flows--;
        }
    }
}
