namespace FileTransfer.Http;

/// <summary>Every problem this service answers with (RFC 9457).</summary>
public static class ProblemTypes
{
    public static readonly ProblemType BadRequest = new("bad-request", 400, "The request is malformed");
    public static readonly ProblemType FileKeyMalformed = new("file-key-malformed", 400, "The file key is malformed");

    public static readonly ProblemType Unauthenticated = new("unauthenticated", 401, "A token is needed");

    public static readonly ProblemType Forbidden = new("forbidden", 403, "The token lacks a scope");
    public static readonly ProblemType RequestOfAnother = new("request-of-another", 403, "The request is another peer's");
    public static readonly ProblemType ClusterNotAccepted = new(
        "cluster-not-accepted",
        403,
        "Shipments of this cluster are not accepted"
    );
    public static readonly ProblemType OriginRefused = new("origin-refused", 403, "The request comes from a foreign web page");

    public static readonly ProblemType ExportUnknown = new("export-unknown", 404, "The export is unknown");
    public static readonly ProblemType FileUnknown = new("file-unknown", 404, "The file is unknown");
    public static readonly ProblemType FileRemoved = new("file-removed", 404, "The file was removed");
    public static readonly ProblemType FollowerUnknown = new("follower-unknown", 404, "The follower is unknown");
    public static readonly ProblemType IntentUnknown = new("intent-unknown", 404, "The intent is unknown");
    public static readonly ProblemType LoadUnknown = new("load-unknown", 404, "The load is unknown");
    public static readonly ProblemType NodeUnknown = new("node-unknown", 404, "The node is unknown");
    public static readonly ProblemType QuotaUnknown = new("quota-unknown", 404, "The bucket has no quota");
    public static readonly ProblemType RequestUnknown = new("request-unknown", 404, "No such request is running");
    public static readonly ProblemType RouteUnknown = new("route-unknown", 404, "There is no such route");
    public static readonly ProblemType SourceUnknown = new("source-unknown", 404, "The source is unknown");
    public static readonly ProblemType TokenUnknown = new("token-unknown", 404, "The token is unknown");
    public static readonly ProblemType TrustUnknown = new("trust-unknown", 404, "The node is not listed");
    public static readonly ProblemType UpstreamUnknown = new("upstream-unknown", 404, "The upstream is unknown");
    public static readonly ProblemType WorkerUnknown = new("worker-unknown", 404, "The worker is unknown");

    public static readonly ProblemType MethodNotAllowed = new("method-not-allowed", 405, "The route has no such method");
    public static readonly ProblemType RequestTimeout = new("request-timeout", 408, "The request came too slowly");

    public static readonly ProblemType ExportsNotConfigured = new("exports-not-configured", 409, "The node writes no shares");

    /// <summary>Extension: <c>name</c>, that of the one that runs.</summary>
    public static readonly ProblemType ExportRunning = new("export-running", 409, "An export is running");

    /// <summary>Extension: <c>state</c>, this node's state of the file.</summary>
    public static readonly ProblemType FileNotStored = new("file-not-stored", 409, "The file is not stored on this node");

    /// <summary>Said to nodes alone. Extension: <c>generation</c>, the one that this node has or brings.</summary>
    public static readonly ProblemType GenerationDiffers = new("generation-differs", 409, "The file has been registered anew");

    /// <summary>Extension: <c>sequence</c>, the newest under the name.</summary>
    public static readonly ProblemType LoadStale = new("load-stale", 409, "A newer load has the name");

    public static readonly ProblemType NodeAlive = new("node-alive", 409, "The node is alive");

    /// <summary>Extension: <c>state</c>, this node's state of the file.</summary>
    public static readonly ProblemType NotCancellable = new("not-cancellable", 409, "The file cannot be given up here");

    public static readonly ProblemType NoSuccessor = new("no-successor", 409, "No other node can lead");

    public static readonly ProblemType FileNotKept = new("file-not-kept", 409, "The content of the removed file is gone");

    public static readonly ProblemType FileInCatalog = new("file-in-catalog", 409, "The catalog has the file");

    /// <summary>Extensions: <c>upstreams</c>, <c>urls</c> of those that have it.</summary>
    public static readonly ProblemType FileOwnedUpstream = new("file-owned-upstream", 409, "The file belongs to an upstream");

    /// <summary>Extensions: <c>bucket</c>, <c>bytes</c> and <c>files</c> that are allowed, <c>usedBytes</c> and <c>usedFiles</c> that it has.</summary>
    public static readonly ProblemType QuotaExceeded = new("quota-exceeded", 409, "The bucket may not have more");

    public static readonly ProblemType RequestRunning = new("request-running", 409, "A request of this id is running");

    public static readonly ProblemType ClusterSame = new("cluster-same", 409, "Both clusters have the same id");

    public static readonly ProblemType TokenExists = new("token-exists", 409, "There is a token of this name");

    public static readonly ProblemType ShipmentOutOfOrder = new("shipment-out-of-order", 409, "The shipment is not the next one");

    /// <summary>Extension: <c>retainedFrom</c>, the first sequence that can still be asked for.</summary>
    public static readonly ProblemType FeedCompacted = new("feed-compacted", 410, "The feed does not go back that far any more");

    public static readonly ProblemType PreconditionFailed = new("precondition-failed", 412, "The precondition does not hold");
    public static readonly ProblemType RequestTooLarge = new("request-too-large", 413, "The request is too large");
    public static readonly ProblemType UriTooLong = new("uri-too-long", 414, "The request line is too long");
    public static readonly ProblemType MediaTypeUnsupported = new(
        "media-type-unsupported",
        415,
        "The body has the wrong media type"
    );
    public static readonly ProblemType RangeUnsatisfiable = new("range-unsatisfiable", 416, "The range lies outside the content");

    /// <summary>Extensions: <c>leader</c>, <c>leaderUrl</c>.</summary>
    public static readonly ProblemType NotLeader = new("not-leader", 421, "This node does not lead");

    public static readonly ProblemType MetadataInvalid = new("metadata-invalid", 422, "The metadata is invalid");
    public static readonly ProblemType KeyMismatch = new("key-mismatch", 422, "The file key is not the hash of the metadata");

    public static readonly ProblemType ShipmentInvalid = new("shipment-invalid", 422, "The shipment is invalid");

    public static readonly ProblemType PolicyInvalid = new("policy-invalid", 422, "The policy is invalid");

    /// <summary>Extension: <c>chunk</c>, the id of the chunk at fault.</summary>
    public static readonly ProblemType UploadInvalid = new("upload-invalid", 422, "The upload is invalid");

    public static readonly ProblemType FingerprintMismatch = new(
        "fingerprint-mismatch",
        422,
        "The content has a different fingerprint"
    );

    /// <summary>Extension: <c>member</c>, the member at fault.</summary>
    public static readonly ProblemType LimitsInvalid = new("limits-invalid", 422, "The limits are invalid");

    /// <summary>With <c>Retry-After</c>. Extension: <c>limit</c>, the setting of section <c>FileTransfer:Callers</c> that is reached.</summary>
    public static readonly ProblemType TooManyRequests = new("too-many-requests", 429, "The caller has too much under way");

    public static readonly ProblemType HeadersTooLarge = new("headers-too-large", 431, "The header fields are too large");

    /// <summary>Extension: <c>traceId</c>, to be found in the log of this node.</summary>
    public static readonly ProblemType InternalFault = new("internal-fault", 500, "The service failed");

    public static readonly ProblemType SourceFailed = new("source-failed", 502, "The source did not answer as it must");
    public static readonly ProblemType UpstreamFailed = new("upstream-failed", 502, "The upstream did not answer as it must");

    public static readonly ProblemType DatabaseUnavailable = new("database-unavailable", 503, "The database is unavailable");

    /// <summary>The database server has the change, a standby that should have it is not known to. The same request again finds out.</summary>
    public static readonly ProblemType CommitUnconfirmed = new("commit-unconfirmed", 503, "No standby has confirmed the change");

    /// <summary>Extensions: <c>pid</c>, <c>applicationName</c>, <c>since</c>, <c>queryStart</c> of the session that holds it; null where unknown.</summary>
    public static readonly ProblemType DatabaseLocked = new(
        "database-locked",
        503,
        "Another database session holds a lock that the request needs"
    );

    public static readonly ProblemType DatabaseSlow = new("database-slow", 503, "The database took too long");

    public static readonly ProblemType NoLeader = new("no-leader", 503, "No node leads");

    /// <summary>Said to nodes alone; with <c>Retry-After</c>.</summary>
    public static readonly ProblemType SourceBusy = new("source-busy", 503, "The source is serving another node");

    /// <summary>With <c>Retry-After</c>. Extensions: <c>state</c>, this node's state of the file; <c>nodes</c> and <c>urls</c> of those that have it.</summary>
    public static readonly ProblemType FileElsewhere = new("file-elsewhere", 503, "The file is stored on other nodes");

    /// <summary>With <c>Retry-After</c>. Extensions: <c>leader</c>, <c>leaderUrl</c>.</summary>
    public static readonly ProblemType LeaderUnreachable = new("leader-unreachable", 503, "The leader does not answer");

    public static readonly ProblemType DiskFailed = new("disk-failed", 503, "This node's disk is failing");

    public static readonly ProblemType Draining = new("draining", 503, "This node is stopping");

    public static readonly ProblemType VersionUnsupported = new(
        "version-unsupported",
        505,
        "This version of HTTP is not supported"
    );

    public static readonly ProblemType DiskFull = new("disk-full", 507, "The disk is full");
}
