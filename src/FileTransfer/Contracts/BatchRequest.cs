namespace FileTransfer.Contracts;

/// <summary>What is to be delivered.</summary>
/// <param name="Want" example="[&quot;0x3f1a0c5a1d1fb4b5a0f3d6a5e6f2f1f5a5b7c1d9e3f7a1b2c3d4e5f60718293a&quot;]">File keys, 1 to 64.</param>
public sealed record BatchRequest(IReadOnlyList<string?>? Want);
