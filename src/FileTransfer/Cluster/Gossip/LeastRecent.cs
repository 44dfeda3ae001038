namespace FileTransfer.Cluster.Gossip;

/// <summary>A number of things by their names; the one that was put or touched longest ago gives way to a new one.</summary>
internal sealed class LeastRecent<TName, T>(int most)
    where TName : notnull
{
    private readonly Dictionary<TName, LinkedListNode<(TName Name, T Value)>> _nodes = [];
    private readonly LinkedList<(TName Name, T Value)> _order = new();

    public int Count => _nodes.Count;

    /// <summary>The newest first.</summary>
    public IEnumerable<T> Values => _order.Select(one => one.Value);

    /// <summary>The newest first.</summary>
    public IEnumerable<(TName Name, T Value)> Pairs => _order;

    public T? Find(TName name) => _nodes.TryGetValue(name, out var node) ? node.Value.Value : default;

    public void Put(TName name, T value)
    {
        if (_nodes.TryGetValue(name, out var node))
        {
            node.Value = (name, value);
            _order.Remove(node);
            _order.AddFirst(node);
            return;
        }

        if (_nodes.Count == most)
        {
            Remove(_order.Last!.Value.Name);
        }

        _nodes.Add(name, _order.AddFirst((name, value)));
    }

    public void Remove(TName name)
    {
        if (_nodes.Remove(name, out var node))
        {
            _order.Remove(node);
        }
    }
}
