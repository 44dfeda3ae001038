namespace FileTransfer.Cluster.Gossip;

/// <content>Whom a round goes to: everybody in turn, in an order that is drawn anew each time.</content>
public sealed partial class GossipMachine
{
    private readonly List<int> _order = [];
    private int _next;

    private int Live => Count - _suspects;

    private void Contact()
    {
        _hasCompared = false;
        foreach (var place in Chosen())
        {
            Begin(_table[place].Words.Content.Urls, new GossipExchange(_table[place].Words.Name, 0));
        }

        if (_suspects > 0 && _random.NextDouble() < (double)_suspects / (Live + 1))
        {
            var place = FindAny(place => place != _here && _table[place].Life.IsSuspected);
            Begin(_table[place].Words.Content.Urls, new GossipExchange(_table[place].Words.Name, 0));
        }

        if (_seeds.Count > 0 && (Live == 0 || _random.NextDouble() < 1.0 / (Count + 1)))
        {
            var seed = _seeds[_random.Next(_seeds.Count)];
            if (Live == 0 || !_table.All().Any(place => Answers(place, seed)))
            {
                Begin([seed], new GossipExchange(null, 0));
            }
        }
    }

    /// <summary>The live peers of this round, the one first whose silence is most surprising.</summary>
    private List<int> Chosen()
    {
        var chosen = new List<int>();
        if (Silent() is { } silent)
        {
            chosen.Add(silent);
        }

        var most = Math.Min(_urgent > 0 ? _limits.Peers : _limits.QuietPeers, Live);
        for (var tried = 0; chosen.Count < most && tried < _order.Count; tried++)
        {
            if (_next >= _order.Count)
            {
                _random.Shuffle(CollectionsMarshal.AsSpan(_order));
                _next = 0;
            }

            var place = _order[_next++];
            if (!_table[place].Life.IsSuspected && !chosen.Contains(place))
            {
                chosen.Add(place);
            }
        }

        return chosen;
    }

    private int? Silent()
    {
        var (most, longest) = (_limits.Phi, (int?)null);
        foreach (var (name, heard) in _heard.Pairs)
        {
            if (
                heard.Phi(_awake) is { } phi
                && phi >= most
                && PlaceOf(name) is >= 0 and var place
                && !_table[place].Life.IsSuspected
            )
            {
                (most, longest) = (phi, place);
            }
        }

        return longest;
    }

    /// <summary>Some live peers besides one.</summary>
    private List<int> SomeLive(int count, int besides)
    {
        var some = new List<int>();
        for (var i = 0; i < count; i++)
        {
            var place = FindAny(place => place != besides && !_table[place].Life.IsSuspected && !some.Contains(place));
            if (place < 0)
            {
                break;
            }

            some.Add(place);
        }

        return some;
    }

    /// <summary>The first in the order, from anywhere on; negative where there is none.</summary>
    private int FindAny(Predicate<int> fits)
    {
        var first = _order.Count == 0 ? 0 : _random.Next(_order.Count);
        for (var i = 0; i < _order.Count; i++)
        {
            var place = _order[(first + i) % _order.Count];
            if (fits(place))
            {
                return place;
            }
        }

        return -1;
    }

    /// <summary>Gives a new peer its turn somewhere among those of this time.</summary>
    private void Enlist(int place)
    {
        var at = _random.Next(Math.Min(_next, _order.Count), _order.Count + 1);
        _order.Add(place);
        (_order[at], _order[^1]) = (_order[^1], _order[at]);
    }

    private bool Answers(int place, Uri seed) =>
        !_table[place].Life.IsSuspected && _table[place].Words.Content.Urls.Any(url => url.Authority == seed.Authority);
}
