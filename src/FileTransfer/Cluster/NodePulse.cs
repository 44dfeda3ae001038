using System.Collections.Immutable;

namespace FileTransfer.Cluster;

/// <summary>What this node asks the database with each heartbeat, for everybody in one statement: whether there is something to do.</summary>
/// <remarks>
/// A node that is in step asks little else, however many there are to ask. Notifications come sooner; what is lost of them, and what nobody
/// tells, is found by the next heartbeat.
/// </remarks>
public sealed class NodePulse(TimeProvider time)
{
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    private ImmutableArray<PulseQuestion> _questions = [];
    private ImmutableArray<Func<string>> _besides = [];
    private DateTimeOffset _besideAt;

    /// <summary>Asks with each heartbeat, until the answer is disposed.</summary>
    /// <param name="condition">SQL that is true or false, and cheap while it is false; <c>@node</c> is this node.</param>
    /// <param name="then">Called whenever it is true, on the path of the heartbeat: hands its work on.</param>
    public PulseQuestion Ask(string condition, Action? then = null)
    {
        var question = new PulseQuestion(condition, then, Forget);
        ImmutableInterlocked.Update(ref _questions, (all, one) => all.Add(one), question);
        return question;
    }

    /// <summary>Runs SQL with the first heartbeat of each minute, in its statement.</summary>
    /// <param name="statements">
    /// Common table expressions, which know <c>@node</c> and <c>@instance</c>. They wait for no lock: the heartbeat says that the node is alive.
    /// </param>
    public void BesideEachMinute(Func<string> statements) =>
        ImmutableInterlocked.Update(ref _besides, (all, one) => all.Add(one), statements);

    /// <summary>What runs beside this heartbeat: common table expressions for what follows them, or nothing.</summary>
    internal string NextBeside()
    {
        var now = time.GetUtcNow();
        if (_besides.IsEmpty || now.Ticks / _minute.Ticks == _besideAt.Ticks / _minute.Ticks)
        {
            return "";
        }

        _besideAt = now;
        return $"WITH {string.Join(", ", _besides.Select(one => one()))}";
    }

    /// <summary>What is asked now: SQL for an array of answers, and who takes them.</summary>
    internal (string Sql, Action<bool[]> Answer) Next()
    {
        var questions = _questions;
        var sql = $"ARRAY[{string.Join(", ", questions.Select(one => $"({one.Condition})"))}]::boolean[]";
        return (sql, Answer);

        void Answer(bool[] answers)
        {
            foreach (var (question, holds) in questions.Zip(answers))
            {
                question.Answer(holds);
            }
        }
    }

    private void Forget(PulseQuestion question) =>
        ImmutableInterlocked.Update(ref _questions, (all, one) => all.Remove(one), question);
}

public sealed class PulseQuestion(string condition, Action? then, Action<PulseQuestion> forget) : IDisposable
{
    private volatile bool _holds;

    public string Condition => condition;

    /// <summary>What the last heartbeat was answered.</summary>
    public bool Holds => _holds;

    public void Dispose() => forget(this);

    internal void Answer(bool holds)
    {
        _holds = holds;
        if (holds)
        {
            then?.Invoke();
        }
    }
}
