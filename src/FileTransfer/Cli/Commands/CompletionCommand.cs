using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer completion bash|zsh|fish</c></summary>
/// <remarks>The scripts know no word of the program: they ask it, by the directive <c>[suggest]</c> of the parser. Where it has none, the shell names files.</remarks>
internal static class CompletionCommand
{
    private const string Bash = """
        # eval "$(filetransfer completion bash)"
        _filetransfer() {
            local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}" program="${COMP_WORDS[0]/#\~/$HOME}"
            local line="${COMP_LINE:0:COMP_POINT}"
            line="filetransfer${line#"${COMP_WORDS[0]}"}"
            COMPREPLY=($(compgen -W "$("$program" "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word"))
            [[ $word == -* ]] || COMPREPLY=($(printf '%s\n' "${COMPREPLY[@]}" | grep -v '^[-/]'))
        }
        complete -o default -F _filetransfer filetransfer
        """;

    private const string Zsh = """
        #compdef filetransfer
        # eval "$(filetransfer completion zsh)", after compinit; or a file _filetransfer of $fpath
        _filetransfer() {
            local line="filetransfer ${(j: :)words[2,CURRENT]}"
            local -a found
            found=(${(f)"$("${~words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)"})
            [[ $words[CURRENT] == -* ]] || found=(${found:#[-/]*})
            if (( $#found )); then compadd -a found; else _files; fi
        }
        if [[ $funcstack[1] == _filetransfer ]]; then _filetransfer "$@"; else compdef _filetransfer filetransfer; fi
        """;

    private const string Fish = """
        # filetransfer completion fish | source
        function __filetransfer_complete
            set -l word (commandline -ct)
            set -l line (string join ' ' -- filetransfer (commandline -opc)[2..-1] "$word")
            set -l found (filetransfer "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
            string match -q -- '-*' "$word"; or set found (string match -rv -- '^[-/]' $found)
            printf '%s\n' $found
        end
        complete -c filetransfer -a '(__filetransfer_complete)'
        """;

    public static Command Create() =>
        new CliCommand("completion", "Prints a script by which a shell completes commands and options")
        {
            Examples =
            [
                "filetransfer completion bash > /etc/bash_completion.d/filetransfer",
                "filetransfer completion zsh > \"${fpath[1]}/_filetransfer\"",
                "filetransfer completion fish | source",
            ],
        }.Taking(Of("bash", Bash), Of("zsh", Zsh), Of("fish", Fish));

    private static CliCommand Of(string shell, string script)
    {
        var command = new CliCommand(shell, $"The script for {shell}") { Examples = [$"filetransfer completion {shell}"] };
        command.SetAction(parse =>
        {
            ((CliRoot)parse.RootCommandResult.Command).Streams.Out.WriteLine(script);
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
