using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A fact about power failures; skipped, and says why, where what a program does to its files cannot be written down.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PowerFailureFactAttribute : FactAttribute
{
    public PowerFailureFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Skip = DiskLog.Hindrance;
}

/// <summary>What one process does below one folder, written down by a library that is loaded before libc (disklog.c).</summary>
internal sealed class DiskLog(string folder, string file)
{
    private const int HeaderLength = 48;
    private static readonly PreloadedLibrary _library = new("disklog.c");

    /// <summary>Why no log can be written here; null when one can.</summary>
    public static string? Hindrance => _library.Hindrance;

    /// <summary>For the environment of the process.</summary>
    /// <param name="cut">The process is killed after this entry.</param>
    public (string Name, string Value)[] Settings(int? cut = null) =>
        [
            ("LD_PRELOAD", _library.Path),
            ("DISKLOG_ROOT", folder),
            ("DISKLOG_FILE", file),
            ("DISKLOG_CUT", cut?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? ""),
        ];

    /// <summary>Writes down what the test knows now: it comes after all that the process had done before.</summary>
    public void Mark(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var entry = new byte[HeaderLength + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(entry, entry.Length);
        BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(4), (int)DiskAct.Mark);
        BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(32), bytes.Length);
        bytes.CopyTo(entry.AsSpan(HeaderLength));
        using var log = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        log.Write(entry);
    }

    /// <summary>Within a process that is written down.</summary>
    public static unsafe void MarkHere(string text)
    {
        var library = NativeLibrary.Load(Environment.GetEnvironmentVariable("LD_PRELOAD")!);
        var mark = (delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(library, "disklog_mark");
        fixed (byte* bytes = Encoding.UTF8.GetBytes(text + "\0"))
        {
            mark(bytes);
        }
    }

    public List<DiskEntry> Read()
    {
        var log = File.ReadAllBytes(file).AsMemory();
        var entries = new List<DiskEntry>();
        while (log.Length >= HeaderLength)
        {
            var header = log.Span;
            var total = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (total > log.Length)
            {
                // The process was killed while it wrote this down.
                break;
            }

            var path = BinaryPrimitives.ReadInt32LittleEndian(header[32..]);
            var other = BinaryPrimitives.ReadInt32LittleEndian(header[36..]);
            entries.Add(
                new DiskEntry(
                    (DiskAct)BinaryPrimitives.ReadInt32LittleEndian(header[4..]),
                    BinaryPrimitives.ReadInt64LittleEndian(header[8..]),
                    BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
                    BinaryPrimitives.ReadInt64LittleEndian(header[24..]),
                    Encoding.UTF8.GetString(header.Slice(HeaderLength, path)),
                    Encoding.UTF8.GetString(header.Slice(HeaderLength + path, other)),
                    log[(HeaderLength + path + other)..total]
                )
            );
            log = log[total..];
        }

        return entries;
    }
}
