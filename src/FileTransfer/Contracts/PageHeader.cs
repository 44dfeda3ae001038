namespace FileTransfer.Contracts;

/// <summary>The header by which the dashboard says that it reads only to be true, of which the log need not tell.</summary>
public static class PageHeader
{
    public const string Name = "FileTransfer-Page";
}
