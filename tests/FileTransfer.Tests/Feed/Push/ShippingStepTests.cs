using FileTransfer.Contracts;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Push;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Feed.Push;

public sealed class ShippingStepTests
{
    private static readonly Guid _epoch = Guid.NewGuid();
    private static readonly Hash256 _digest = new([.. Enumerable.Repeat((byte)7, 32)]);

    /// <summary>The bin is at 10, and goes back to 4.</summary>
    [Theory]
    [InlineData(10, true, ShippingStep.InStep)]
    [InlineData(10, false, ShippingStep.Rebuild)]
    [InlineData(9, false, ShippingStep.CatchUp)]
    [InlineData(3, false, ShippingStep.CatchUp)]
    [InlineData(2, false, ShippingStep.Rebuild)]
    [InlineData(11, true, ShippingStep.Ahead)]
    public void A_bin_is_in_step_is_caught_up_or_is_rebuilt_by_where_the_follower_is(
        long applied,
        bool same,
        ShippingStep step
    ) => Decide(applied, same).ShouldBe(step);

    [Fact]
    public void What_a_follower_has_of_another_history_or_is_comparing_is_rebuilt()
    {
        Decide(9, followed: Guid.NewGuid()).ShouldBe(ShippingStep.Rebuild);
        Decide(11, followed: Guid.NewGuid()).ShouldBe(ShippingStep.Rebuild);
        Decide(9, comparing: true).ShouldBe(ShippingStep.Rebuild);
        ShippingSteps.Decide(_epoch, Here(retainedFrom: 1), null, There(0, same: false), false).ShouldBe(ShippingStep.CatchUp);
        ShippingSteps.Decide(_epoch, Here(), null, There(0, same: false), false).ShouldBe(ShippingStep.Rebuild);
    }

    [Fact]
    public void Beyond_its_budget_a_follower_is_rebuilt_unless_it_has_all_there_is()
    {
        Decide(9, isOverBudget: true).ShouldBe(ShippingStep.Rebuild);
        Decide(10, same: true, isOverBudget: true).ShouldBe(ShippingStep.InStep);
    }

    private static ShippingStep Decide(
        long applied,
        bool same = false,
        Guid? followed = null,
        bool comparing = false,
        bool isOverBudget = false
    ) =>
        ShippingSteps.Decide(
            _epoch,
            Here(),
            followed ?? _epoch,
            There(applied, same) with
            {
                Comparing = comparing,
            },
            isOverBudget
        );

    private static OfferedBin Here(long retainedFrom = 4) => new(3, 10, retainedFrom, _digest);

    private static ShipmentPosition There(long applied, bool same) =>
        new(3, applied, same ? _digest.ToString() : "0x00", Comparing: false);
}
