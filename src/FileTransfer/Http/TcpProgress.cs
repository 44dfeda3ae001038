namespace FileTransfer.Http;

/// <summary>What the system knows of the other end of a TCP connection.</summary>
/// <param name="Unanswered">Packets in a row that were sent again, or that asked for room, and that nothing came back for.</param>
/// <param name="SilentFor">Since the last packet of the other end that confirmed anything.</param>
public readonly record struct TcpProgress(long BytesAcknowledged, int Unanswered, TimeSpan SilentFor)
{
    /// <summary>The other end's system has answered nothing for so long. A reader that pauses is there: its system answers.</summary>
    public bool IsGoneFor(TimeSpan patience) => Unanswered > 1 && SilentFor >= patience;

    // struct tcp_info of Linux: its beginning has not changed since 4.1.
    private const int LevelTcp = 6;
    private const int OptionInfo = 11;
    private const int Retransmits = 2;
    private const int Probes = 3;
    private const int LastAckReceived = 56;
    private const int BytesAcked = 120;
    private const int Length = BytesAcked + sizeof(long);

    /// <summary>The progress of a connection; null where the system does not tell.</summary>
    public static TcpProgress? Of(Socket? socket)
    {
        if (socket is null || !OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> info = stackalloc byte[Length];
        try
        {
            return socket.GetRawSocketOption(LevelTcp, OptionInfo, info) < Length
                ? null
                : new TcpProgress(
                    BinaryPrimitives.ReadInt64LittleEndian(info[BytesAcked..]),
                    info[Retransmits] + info[Probes],
                    TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32LittleEndian(info[LastAckReceived..]))
                );
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A socket of another family, or one that has just been closed.
            return null;
        }
    }
}
