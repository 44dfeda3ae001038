using Xunit.v3;

namespace FileTransfer.IntegrationTests;

/// <summary>
/// A fact that takes about ten seconds and more: a thorough run has it (<c>tests/run.sh --thorough</c>), and an ordinary one has others
/// of the same room, so that it does not take most of an hour.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ThoroughAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Run", "Thorough")];
}
