using System.Security.Cryptography;
using FileTransfer.Chunks.Durability;
using FileTransfer.Hosting.Access;
using Microsoft.AspNetCore.Connections;

namespace FileTransfer.Hosting;

/// <summary>How the service ends, in numbers that supervisors understand (sysexits.h).</summary>
internal static class ExitCodes
{
    public const int Clean = 0;
    public const int Fault = 1;

    /// <summary>Says why the service ended in one line, or one per thing that a person must change; all details of a fault are in the log.</summary>
    public static int Explain(Exception fault, TextWriter error)
    {
        if (Reason(fault) is { } reason)
        {
            foreach (var line in reason.Split(Environment.NewLine))
            {
                error.WriteLine($"filetransfer: {line}");
            }

            return FatalStartException.ExitCode;
        }

        if (fault is DiskFullException)
        {
            error.WriteLine($"filetransfer: {fault.Message}");
            return Fault;
        }

        Serilog.Log.Fatal(fault, "The service ended with a fault");
        error.WriteLine(
            $"filetransfer: ended with a fault, whose details are in the log: {fault.Message.Split(Environment.NewLine)[0]}"
        );
        return Fault;
    }

    /// <summary>The server reads its certificates itself, and says what is wrong with one by exceptions of every type.</summary>
    private static bool IsOfCertificate(Exception fault) =>
        fault is CryptographicException
        || fault.StackTrace?.Contains("Kestrel.Core.Internal.Certificates.", StringComparison.Ordinal) == true
        || fault.StackTrace?.Contains("Kestrel.Https.", StringComparison.Ordinal) == true;

    private static string? Reason(Exception fault) =>
        fault switch
        {
            FatalStartException or DataDirectoryInUseException => fault.Message,
            OptionsValidationException e => string.Join(Environment.NewLine, e.Failures),
            IOException { InnerException: AddressInUseException } =>
                $"{fault.Message.TrimEnd('.')}; stop the process that listens there, or write another address with --urls.",
            _ when IsOfCertificate(fault) =>
                $"The certificate of an https address cannot be used ({fault.Message.TrimEnd('.')}); see Path, KeyPath and Password in section Kestrel.",
            InvalidOperationException
            {
                Source: "Microsoft.AspNetCore.Server.Kestrel.Core" or "Microsoft.AspNetCore.Server.Kestrel"
            } => $"The server cannot be set up: {fault.Message.Split(Environment.NewLine)[0]} See section Kestrel and --urls.",
            SocketException { SocketErrorCode: SocketError.AccessDenied } =>
                "A port below 1024 needs more rights than this process has; write another address with --urls.",
            IOException { InnerException: SocketException } or SocketException =>
                $"The address of --urls cannot be used ({fault.Message.TrimEnd('.')}); write one of this machine, such as {ListenAddresses.Default}.",
            AggregateException { InnerExceptions.Count: 1 } e => Reason(e.InnerExceptions[0]),
            _ => null,
        };
}
