namespace FileTransfer.Contracts;

/// <summary>The routes that both a server and a client of it name.</summary>
public static class Routes
{
    public const string Upload = "/upload/{file_key}";
    public const string Download = "/download/{file_key}";

    public const string Files = "/v1/files";
    public const string Batch = $"{Files}/batch";
    public const string File = $"{Files}/{{key}}";
    public const string Content = $"{File}/content";
    public const string Hashes = $"{File}/hashes";
    public const string Parts = $"{File}/parts";
    public const string Damage = $"{File}/damage";
    public const string Restore = $"{File}/restore";
    public const string Explain = $"{File}/explain";
    public const string FileEvents = $"{File}/events";
    public const string Intents = $"{File}/fetch";
    public const string Retry = $"{File}/retry";
    public const string Cancel = $"{File}/cancel";
    public const string FilePriority = $"{File}/priority";
    public const string RetryAll = "/v1/retry";

    public const string Changes = "/v1/changes";
    public const string Audit = "/v1/audit";

    public const string Buckets = "/v1/buckets";
    public const string Bucket = $"{Buckets}/{{bucket}}";
    public const string Policy = $"{Bucket}/policy";
    public const string BucketPriority = $"{Bucket}/priority";
    public const string BucketCopies = $"{Bucket}/copies";
    public const string BucketHealth = $"{Bucket}/health";
    public const string Quota = $"{Bucket}/quota";
    public const string Quotas = "/v1/quotas";
    public const string Missing = $"{Bucket}/missing";
    public const string Sync = "/v1/sync";

    /// <summary>What follows <see cref="Sync"/> in routes, so that no upstream can be called so.</summary>
    public static readonly IReadOnlyList<string> OfSync = ["bins", "cursors", "deliveries", "requests", "status"];

    public const string SyncStatus = $"{Sync}/status";
    public const string Cursors = $"{Sync}/cursors";
    public const string Bin = $"{Sync}/bins/{{bin}}";
    public const string BinFiles = $"{Bin}/files";
    public const string BinDigests = $"{Bin}/digests";
    public const string UpstreamKept = $"{Sync}/{{upstream}}/kept";
    public const string UpstreamAccept = $"{Sync}/{{upstream}}/accept";
    public const string UpstreamKeep = $"{Sync}/{{upstream}}/keep";
    public const string UpstreamCompare = $"{Sync}/{{upstream}}/compare";
    public const string UpstreamResync = $"{Sync}/{{upstream}}/resync";
    public const string SyncRequest = $"{Sync}/requests/{{id}}";
    public const string Deliveries = $"{Sync}/deliveries";
    public const string Downloads = "/v1/downloads";
    public const string Pauses = $"{Downloads}/pauses";
    public const string Pause = $"{Downloads}/pause";
    public const string Resume = $"{Downloads}/resume";
    public const string Drain = "/v1/drain";
    public const string Gossip = "/v1/gossip";
    public const string Peers = "/v1/peers";
    public const string Tokens = "/v1/tokens";
    public const string Token = $"{Tokens}/{{name}}";

    public const string Caller = "/v1/caller";

    public const string Trust = "/v1/trust";
    public const string TrustOfNode = $"{Trust}/{{node}}";

    public const string Configuration = "/v1/configuration";
    public const string Events = "/v1/events";
    public const string Ingest = "/v1/ingest";
    public const string Exports = "/v1/exports";
    public const string Export = $"{Exports}/{{name}}";
    public const string Followers = "/v1/followers";
    public const string Follower = $"{Followers}/{{name}}";
    public const string Shipments = "/v1/shipments";
    public const string Handshake = $"{Shipments}/handshake";
    public const string History = "/v1/history";
    public const string Proof = "/v1/proof";
    public const string Leader = "/v1/leader";
    public const string Handover = $"{Leader}/handover";
    public const string Limits = "/v1/limits";
    public const string Loads = "/v1/loads";
    public const string Load = $"{Loads}/{{name}}";
    public const string LoadEvents = $"{Load}/events";
    public const string Nodes = "/v1/nodes";
    public const string Node = $"{Nodes}/{{node}}";
    public const string Evacuation = $"{Node}/evacuate";
    public const string ClusterHealth = "/v1/health";
    public const string Queue = "/v1/queue";
    public const string Orphans = "/v1/orphans";
    public const string Reconcile = "/v1/reconcile";
    public const string Scrub = "/v1/scrub";
    public const string Sources = "/v1/sources";
    public const string Adopt = $"{Sources}/{{name}}/adopt";
    public const string Uploads = "/v1/uploads";
    public const string Workers = "/v1/workers";
    public const string Worker = $"{Workers}/{{worker}}";
    public const string WorkerPause = $"{Worker}/pause";
    public const string WorkerResume = $"{Worker}/resume";
    public const string Health = "/health";

    /// <summary>The path of one of those things that a route is for.</summary>
    public static string Of(string route, object one) =>
        route[..route.IndexOf('{', StringComparison.Ordinal)]
        + Uri.EscapeDataString(one.ToString()!)
        + route[(route.IndexOf('}', StringComparison.Ordinal) + 1)..];
}
