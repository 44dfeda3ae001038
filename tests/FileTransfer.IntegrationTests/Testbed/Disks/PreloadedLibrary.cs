using System.Diagnostics;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A library of the tests that a program loads before libc; compiled when it is first needed.</summary>
internal sealed class PreloadedLibrary(string source)
{
    private readonly Lazy<(string Path, string? Hindrance)> _compiled = new(() => Compile(source));

    public string Path => _compiled.Value.Path;

    /// <summary>Why it cannot be had here; null when it can.</summary>
    public string? Hindrance => _compiled.Value.Hindrance;

    private static (string Path, string? Hindrance) Compile(string source)
    {
        if (!OperatingSystem.IsLinux())
        {
            return ("", "What a program asks of its files is seen with LD_PRELOAD, which is Linux'.");
        }

        var faults = new List<string>();
        var folder = Directory.CreateTempSubdirectory("filetransfer-preload-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var library = System.IO.Path.Combine(folder, System.IO.Path.ChangeExtension(source, ".so"));
        var text = System.IO.Path.Combine(AppContext.BaseDirectory, "Testbed", "Disks", source);
        foreach (var compiler in (string[])["cc", "gcc", "clang"])
        {
            var fault = Run(compiler, "-shared", "-fPIC", "-O2", "-o", library, text, "-ldl", "-lpthread");
            if (fault is null)
            {
                return (library, null);
            }

            faults.Add($"{compiler}: {fault}");
        }

        return ("", $"No C compiler made {source} a library; install gcc and glibc's headers. {string.Join("; ", faults)}");
    }

    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true }
            )!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim();
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return exception.Message;
        }
    }
}
