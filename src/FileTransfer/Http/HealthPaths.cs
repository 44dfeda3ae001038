namespace FileTransfer.Http;

/// <summary>The paths that load balancers and supervisors ask all day long.</summary>
internal static class HealthPaths
{
    public static bool Contain(PathString path) => path.StartsWithSegments("/health", StringComparison.Ordinal);
}
