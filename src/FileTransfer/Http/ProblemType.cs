namespace FileTransfer.Http;

/// <summary>One kind of error a client can meet. The slug is part of the interface and never changes.</summary>
public sealed record ProblemType(string Slug, int Status, string Title)
{
    private const string Prefix = "urn:filetransfer:problem:";

    /// <summary>The value of <c>type</c> in the body.</summary>
    public string Urn { get; } = Prefix + Slug;
}
