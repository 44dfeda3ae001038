using FsCheck;
using FsCheck.Fluent;

namespace FileTransfer.Tests.Downloads.Planning;

public sealed class PlannerProperties
{
    private const int MostMoves = 2_000;

    /// <summary>Worlds tried; more of them by setting this variable.</summary>
    private static readonly int _worlds = int.TryParse(Environment.GetEnvironmentVariable("FILETRANSFER_WORLDS"), out var worlds)
        ? worlds
        : 100;

    [Fact]
    public void Whatever_happens_the_plan_is_sound_and_every_wish_comes_to_its_end() =>
        Prop.ForAll(
                Arb.From(Moves(), Shorter),
                moves =>
                {
                    var world = new PlannerWorld(seed: 1);
                    foreach (var move in moves)
                    {
                        world.Do(move);
                    }

                    if (moves.Length % 2 == 0)
                    {
                        world.FallSilent();
                    }

                    world.GetWell();
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(_worlds).WithEndSize(MostMoves));

    private static Gen<Move[]> Moves()
    {
        var number = Gen.Choose(0, 255);
        var move = number
            .Zip(number)
            .Zip(number.Zip(number))
            .Select(n => new Move(n.Item1.Item1, n.Item1.Item2, n.Item2.Item1, n.Item2.Item2));
        return Gen.Sized(size => Gen.Choose(0, size).SelectMany(count => move.ArrayOf(count)));
    }

    /// <summary>Leaves out half of the moves, a quarter, and so on, to one.</summary>
    private static IEnumerable<Move[]> Shorter(Move[] moves)
    {
        for (var part = moves.Length / 2; part > 0; part /= 2)
        {
            for (var first = 0; first + part <= moves.Length; first += part)
            {
                yield return [.. moves[..first], .. moves[(first + part)..]];
            }
        }
    }
}
