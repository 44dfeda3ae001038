using System.Collections.Immutable;

namespace FileTransfer.Cluster;

/// <summary>What this node asks the database with each heartbeat, for everybody in one statement: whether there is something to do.</summary>
/// <remarks>
/// A node that is in step asks little else, however many there are to ask. Notifications come sooner; what is lost of them, and what nobody
/// tells, is found by the next heartbeat.
/// </remarks>
public sealed class NodePulse
{
    private ImmutableArray<PulseQuestion> _questions = [];

    /// <summary>Asks with each heartbeat, until the answer is disposed.</summary>
    /// <param name="condition">SQL that is true or false, and cheap while it is false; <c>@node</c> is this node.</param>
    /// <param name="then">Called whenever it is true, on the path of the heartbeat: hands its work on.</param>
    public PulseQuestion Ask(string condition, Action? then = null)
    {
        var question = new PulseQuestion(condition, then, Forget);
        ImmutableInterlocked.Update(ref _questions, (all, one) => all.Add(one), question);
        return question;
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
