using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A fact that needs a file system of its own, small enough to be filled; skipped, and says why, where none can be mounted.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SmallDiskFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Hindrance = new(SmallDisk.Hindrance);

    public SmallDiskFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Skip = Hindrance.Value;
}

/// <summary>A tmpfs of some MiB on a folder.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _folder;

    public SmallDisk(string folder, int mebibytes)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        if (Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", _folder) is { } fault)
        {
            throw new InvalidOperationException($"No tmpfs on {_folder}: {fault}");
        }
    }

    /// <summary>Takes bytes away; all that are left without a number.</summary>
    public void Fill(long? bytes = null)
    {
        using var filler = File.OpenHandle(Filler, FileMode.Create, FileAccess.Write);
        var piece = new byte[4096];
        try
        {
            for (var at = 0L; bytes is null || at < bytes; at += piece.Length)
            {
                RandomAccess.Write(filler, piece, at);
            }
        }
        catch (IOException) when (bytes is null)
        {
            // Full.
        }
    }

    /// <summary>Changes what it allows: <c>ro</c>, <c>rw</c>, <c>nr_inodes=…</c>.</summary>
    public void Allow(string options)
    {
        if (Run("mount", "-o", $"remount,{options}", _folder) is { } fault)
        {
            throw new InvalidOperationException($"The disk on {_folder} cannot be made {options}: {fault}");
        }
    }

    /// <summary>Lets it have no more files than it has now, or so many more.</summary>
    public void UseUpInodes(int left = 0)
    {
        using var process = Process.Start(
            new ProcessStartInfo("stat", ["-f", "-c", "%c %d", _folder])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            }
        )!;
        var counts = process.StandardOutput.ReadToEnd().Split(' ');
        process.WaitForExit();
        var used = long.Parse(counts[0], CultureInfo.InvariantCulture) - long.Parse(counts[1], CultureInfo.InvariantCulture);
        Allow($"nr_inodes={used + left}");
    }

    public void MakeRoom() => File.Delete(Filler);

    public void Dispose() => Run("umount", "-l", _folder);

    public static string? Hindrance()
    {
        var folder = Directory.CreateTempSubdirectory("filetransfer-disk-").FullName;
        try
        {
            using (new SmallDisk(folder, 1)) { }

            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"A small disk cannot be mounted here; run as root. {e.Message}";
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    private string Filler => Path.Combine(_folder, "filler");

    /// <returns>What it says is wrong; null where it went well.</returns>
    internal static string? Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true }
        )!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : error.Trim();
    }
}
