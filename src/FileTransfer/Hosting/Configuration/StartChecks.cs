using FileTransfer.Hosting.Access;

namespace FileTransfer.Hosting.Configuration;

/// <summary>What must be right before anything is opened. Every fault found is reported at once.</summary>
internal static class StartChecks
{
    public static void Run(IConfiguration all)
    {
        CheckSettings(all);
        CheckDataDirectory(all["FileTransfer:DataDirectory"] is { Length: > 0 } configured ? configured : "data");
    }

    /// <summary>All but the data folder, which is made where it is missing.</summary>
    public static void CheckSettings(IConfiguration all)
    {
        var faults = OptionsSection.All.SelectMany(section => section.FaultsIn(all));
        var found = SettingNames.FaultsOf(all).Concat(faults).Distinct(StringComparer.Ordinal).ToList();
        if (found.Count > 0)
        {
            throw new FatalStartException(string.Join(Environment.NewLine, found));
        }

        CheckAccess(all);
        CheckCertificates(all);
        ServerCertificates.Check(all);
    }

    private static void CheckCertificates(IConfiguration all)
    {
        foreach (var key in (ReadOnlySpan<string>)["FileTransfer:ClientAuthority", CertificateFiles.AuthorityKey])
        {
            if (all[key] is { Length: > 0 } path)
            {
                Read(
                    key,
                    path,
                    "the PEM file of an authority",
                    () => _ = new AuthorityFile(path, TimeProvider.System).Certificates
                );
            }
        }

        var own = all.GetSection(CertificateFiles.ClientSection);
        if (CertificateFile.Of(own, TimeProvider.System) is { } certificate)
        {
            Read(
                $"{own.Path}:Path",
                own["Path"]!,
                "a PEM or PFX file, with KeyPath where its key is in another",
                () => _ = certificate.Context
            );
        }
    }

    private static void Read(string key, string path, string expected, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (CertificateFiles.IsUnreadable(e))
        {
            throw new FatalStartException(
                $"{key} is '{path}', which cannot be read ({e.Message.TrimEnd('.')}); write {expected}.",
                e
            );
        }
    }

    private static void CheckAccess(IConfiguration all)
    {
        var addresses = ListenAddresses.From(all);
        var access = all.GetSection(AccessOptions.Section).Get<AccessOptions>() ?? new AccessOptions();
        if (access.Tokens.Count > 0 && access.AllowAnonymous)
        {
            throw new FatalStartException(
                $"FileTransfer:AllowAnonymous is true although FileTransfer:Tokens lists {access.Tokens.Count}; remove one of the two."
            );
        }

        if (access.Tokens.Count == 0 && !access.AllowAnonymous && addresses.Open.Count > 0)
        {
            throw new FatalStartException(
                $"{addresses.Open[0]} can be reached from other machines, and nothing says who may call. "
                    + "Write FileTransfer:Tokens:0:Name, FileTransfer:Tokens:0:Sha256 (of the token: printf %s TOKEN | sha256sum) "
                    + "and FileTransfer:Tokens:0:Scopes:0 (read, write, node or admin), "
                    + "or FileTransfer:ClientAuthority and an https endpoint in section Kestrel with ClientCertificateMode RequireCertificate, "
                    + $"or listen on {ListenAddresses.Default}, or let everyone in with FileTransfer:AllowAnonymous=true."
            );
        }
    }

    private static void CheckDataDirectory(string configured)
    {
        var path = Path.GetFullPath(configured);
        try
        {
            if (!Directory.Exists(path))
            {
                // Contents, names and the private database are nobody else's to read.
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            var probe = Path.Combine(path, $".probe-{Guid.NewGuid():N}");
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose)) { }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new FatalStartException(
                $"FileTransfer:DataDirectory is '{path}', which this process cannot create or write to ({e.Message.TrimEnd('.')}); "
                    + "write a folder it may write to."
            );
        }
    }
}
