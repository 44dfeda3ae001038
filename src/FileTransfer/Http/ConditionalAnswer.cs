namespace FileTransfer.Http;

/// <summary>What a GET or HEAD of a representation with a strong tag is to be answered with.</summary>
/// <param name="StatusCode">200, 206, 304, 412 or 416.</param>
/// <param name="Range">What of the representation is meant: the whole of it unless the status is 206.</param>
public readonly record struct ConditionalAnswer(int StatusCode, ByteRange Range);
