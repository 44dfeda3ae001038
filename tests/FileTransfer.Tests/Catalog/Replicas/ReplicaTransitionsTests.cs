using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Tests.Catalog.Replicas;

public sealed class ReplicaTransitionsTests
{
    [Theory]
    [InlineData(ReplicaState.Removing, ReplicaState.Stored)]
    [InlineData(ReplicaState.Removing, ReplicaState.Downloading)]
    [InlineData(ReplicaState.Stored, ReplicaState.Downloading)]
    [InlineData(ReplicaState.Paused, ReplicaState.Downloading)]
    [InlineData(ReplicaState.Failed, ReplicaState.Downloading)]
    [InlineData(ReplicaState.Stored, ReplicaState.Failed)]
    public void A_transition_that_would_break_an_invariant_is_refused(ReplicaState from, ReplicaState to) =>
        ReplicaTransitions.IsAllowed(from, to).ShouldBeFalse();

    [Fact]
    public void Every_state_can_be_left_for_removal_and_removal_only_for_a_new_wish()
    {
        foreach (var state in Enum.GetValues<ReplicaState>().Where(state => state != ReplicaState.Removing))
        {
            ReplicaTransitions.IsAllowed(state, ReplicaState.Removing).ShouldBeTrue(state.ToString());
        }

        Enum.GetValues<ReplicaState>()
            .Where(to => ReplicaTransitions.IsAllowed(ReplicaState.Removing, to))
            .ShouldBe([ReplicaState.Wanted]);
    }

    [Fact]
    public void Names_are_read_as_they_are_written()
    {
        foreach (var state in Enum.GetValues<ReplicaState>())
        {
            ReplicaTransitions.TryRead(ReplicaTransitions.NameOf(state), out var read).ShouldBeTrue();
            read.ShouldBe(state);
        }

        ReplicaTransitions.TryRead("stolen", out _).ShouldBeFalse();
        ReplicaTransitions.TryRead(null, out _).ShouldBeFalse();
    }
}
