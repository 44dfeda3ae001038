namespace FileTransfer.Cluster.Gossip;

/// <content>Messages that come, and what is said to them.</content>
public sealed partial class GossipMachine
{
    private readonly Dictionary<long, GossipExchange> _exchanges = [];
    private long _lastExchange;

    private void Requested(GossipEvent.Requested requested)
    {
        CountRefusals(requested.News);
        var answer = new GossipNews();
        if (!requested.IsTrusted || requested.From == _self)
        {
            Meet(requested.From, requested.News);
            answer.TryAdd(Self);
            Emit(new GossipAction.Answer(requested.Request, answer));
            return;
        }

        Hear(requested.From);
        Learn(requested.News, answer);
        if (PlaceOf(requested.From) < 0)
        {
            answer.TryWant(requested.From);
        }

        if (requested.News.Probe is { } doubted)
        {
            TryFor(doubted, requested.Request, answer);
            return;
        }

        if (requested.News.Digest is not null)
        {
            answer.AddDigest(_digest);
            TellOfItself(requested.From, answer);
            TellNews(answer);
        }

        Emit(new GossipAction.Answer(requested.Request, answer));
    }

    private void Answered(GossipEvent.Answered answered)
    {
        CountRefusals(answered.News);
        if (!_exchanges.Remove(answered.Exchange, out var exchange))
        {
            return;
        }

        if (!answered.IsTrusted || answered.From == _self)
        {
            Meet(answered.From, answered.News);
        }
        else
        {
            Hear(answered.From);
            if (exchange.About is { } doubted && answered.News.Reached is true)
            {
                _doubts.Remove(doubted);
            }

            GoOn(exchange, answered.From, answered.News);
        }

        if (exchange.To is { } to && (to != answered.From || !answered.IsTrusted))
        {
            End(exchange, to == answered.From ? "its key is not the one that is trusted" : $"{answered.From} answers there");
        }
        else
        {
            End(exchange, failure: null);
        }
    }

    /// <summary>Of somebody who is not trusted only its own announcement is looked at.</summary>
    private void Meet(PeerName from, GossipNews news)
    {
        if (news.Announcements is [var words, ..] && words.Name == from)
        {
            Accept(words);
        }
    }

    /// <summary>Takes in an answer, and asks once more where there is something left to say.</summary>
    private void GoOn(GossipExchange exchange, PeerName from, GossipNews news)
    {
        var (before, count) = (_digest, _table.Count);
        var next = new GossipNews();
        Learn(news, next);
        _isCatchingUp = news.Digest != _digest && (exchange.Compared is null ? _isCatchingUp : _table.Count - count >= Many);
        NoteAnswer(from);
        if (exchange.Compared == before && before == _digest && next.IsQuiet && exchange.Told is { } told)
        {
            _heard.Find(from)?.Settled = (_digest, told);
        }

        var compares = IsToCompare(from, news, isExplained: !next.IsQuiet || news.Wanted.Count > 0);
        if (compares)
        {
            BeginComparing(next);
        }

        var place = PlaceOf(from);
        if (!next.IsQuiet && exchange.Requests < _limits.FurtherRequests && place >= 0)
        {
            Ask(
                place,
                next,
                _limits.Patience,
                new GossipExchange(from, exchange.Requests + 1)
                {
                    Compared = compares ? _digest : exchange.Compared,
                    Told = compares ? news.Digest : exchange.Told,
                }
            );
        }
    }

    private void Ask(int place, GossipNews news, TimeSpan patience, GossipExchange exchange) =>
        Ask(_table[place].Words.Content.Urls, news, patience, exchange);

    private void Ask(IReadOnlyList<Uri> urls, GossipNews news, TimeSpan patience, GossipExchange exchange)
    {
        _exchanges.Add(++_lastExchange, exchange);
        Emit(new GossipAction.Ask(_lastExchange, exchange.To, urls, news, patience));
    }

    /// <summary>The first request of an exchange.</summary>
    private void Begin(IReadOnlyList<Uri> urls, GossipExchange exchange)
    {
        var news = new GossipNews();
        _knownThere.SetAll(false);
        if (exchange.To is null)
        {
            news.TryAdd(Self);
        }

        news.AddDigest(_digest);
        if (exchange.To is not { } to || !TellOfItself(to, news))
        {
            TellNews(news);
        }

        Ask(urls, news, _limits.Patience, exchange);
    }

    /// <summary>Who is suspected hears it from everyone it speaks with, so that it can refute it.</summary>
    /// <returns>Whether it is suspected: who asks it need not tell it more before it answers.</returns>
    private bool TellOfItself(PeerName name, GossipNews news)
    {
        var place = PlaceOf(name);
        if (place < 0 || !_table[place].Life.IsSuspected)
        {
            return false;
        }

        if (!_knownThere[place])
        {
            _knownThere[place] = true;
            news.TryAdd(_table[place].Mention);
        }

        return true;
    }

    private void CountRefusals(GossipNews news)
    {
        foreach (var reason in news.Refusals)
        {
            Refuse(reason);
        }
    }
}
