using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Tests.Postgres;

public sealed class DeadlocksTests
{
    [Fact]
    public async Task A_transaction_that_was_undone_by_a_deadlock_is_run_again_and_gives_its_result()
    {
        var runs = 0;

        var result = await Deadlocks.RetryAsync(() => ++runs < 5 ? throw Failure("40P01") : Task.FromResult(runs));

        result.ShouldBe(5);
    }

    [Fact]
    public async Task The_fifth_deadlock_in_a_row_is_a_fault()
    {
        var runs = 0;

        var fault = await Should.ThrowAsync<PostgresException>(() => Deadlocks.RetryAsync<int>(() => Fail("40P01")));

        fault.SqlState.ShouldBe("40P01");
        runs.ShouldBe(5);

        Task<int> Fail(string state)
        {
            runs++;
            throw Failure(state);
        }
    }

    [Theory]
    [InlineData("40001")] // a serialization failure
    [InlineData("55P03")] // a lock that was not to be waited for
    [InlineData("23505")] // a unique violation
    public async Task Any_other_failure_ends_it_at_once(string state)
    {
        var runs = 0;

        await Should.ThrowAsync<PostgresException>(() =>
            Deadlocks.RetryAsync<int>(() =>
            {
                runs++;
                throw Failure(state);
            })
        );

        runs.ShouldBe(1);
    }

    private static PostgresException Failure(string state) => new("undone", "ERROR", "ERROR", state);
}
