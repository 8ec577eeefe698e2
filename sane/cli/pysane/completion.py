"""`pysane completion`: scripts for bash, zsh and fish, made from the commands' own parsers.

What the options are called stands in the script; which devices, profiles and options of a driver
there are, it asks `pysane _complete` for at each TAB.
"""

from __future__ import annotations

from . import exits
from .exits import usage
from .words import Parser, meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from .main import Run

SHELLS = ("bash", "zsh", "fish")

# What a value is, by the option's name: a kind that `_complete` knows, or files.
KINDS = {
    "device": "devices",
    "profile": "profiles",
    "set": "settings",
    **dict.fromkeys(("output", "append", "config", "exec", "run"), "files"),
    "keep_raw": "folders",
}
OPERANDS = {  # what the words are that are no options, by command
    **dict.fromkeys(("scan", "info", "preview", "watch-button"), "operands"),
    "profile": "profile-words",
    "completion": "shells",
}
WORDS = {  # values that are not types with choices
    "source": ("flatbed", "feeder", "duplex", "auto"),
    "page_size": ("a4", "a5", "a6", "letter", "legal", "max", "auto"),
    "dpi": ("75", "150", "200", "300", "600", "min", "max"),
    "crop": ("auto",),
    "split": ("each", "blank"),
}


def parser() -> Parser:
    """Return the parser of `pysane completion`."""
    return Parser(
        "pysane completion",
        "Print a completion script. For bash: source <(pysane completion bash)",
        operands="bash|zsh|fish",
    )


def run(run: Run) -> int:
    """Print the script of a shell."""
    shells = run.options.operands
    if len(shells) != 1:
        raise usage("one shell is wanted: bash, zsh or fish")
    if shells[0] not in SHELLS:
        raise usage(f"unknown shell {shells[0]!r}{meant(shells[0], SHELLS)}", "bash, zsh or fish")
    make = {"bash": bash, "zsh": zsh, "fish": fish}[shells[0]]
    print(make(), end="")
    return exits.OK


def commands() -> Iterator[tuple[str, str, list[argparse.Action]]]:
    """Yield each command, what help says of it, and its options."""
    from importlib import import_module

    from .main import COMMANDS

    for name, (module, text) in COMMANDS.items():
        made: Parser = import_module(f".{module}", __package__).parser()
        yield name, text, made.options


def choices(option: argparse.Action) -> tuple[str, ...]:
    """Return the words that an option's value may be, if there are few."""
    found = option.choices or getattr(option.type, "choices", None) or WORDS.get(option.dest, ())
    return tuple(map(str, found))


def takes_value(option: argparse.Action) -> bool:
    """Tell whether a value follows the option."""
    return option.nargs != 0


def title(option: argparse.Action) -> str:
    """Return what help says of an option, on one line."""
    return " ".join((option.help or "").replace("%%", "%").split())


# bash

BASH = r"""# bash completion for pysane; made by: pysane completion bash
_pysane() {
    local line=${COMP_LINE:0:COMP_POINT} words cur prev command="" word i
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    cur=${words[${#words[@]}-1]} prev=${words[${#words[@]}-2]}
    (( ${#words[@]} > 2 )) && command=${words[1]}
    [[ ${words[0]##*/} == pysane-scan ]] && command=scan
    local names="" values="" kind=""
    if [[ $cur == --*=* ]]; then
        prev=${cur%%=*} cur=${cur#*=}
    fi
    case $command in
@CASES@
    esac
    if [[ -z $command ]]; then
        COMPREPLY=($(compgen -W '@COMMANDS@' -- "$cur"))
    elif [[ -n $values ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$cur"))
    elif [[ $kind == files ]]; then
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$cur"))
    elif [[ $kind == folders ]]; then
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -d -- "$cur"))
    elif [[ $kind == none ]]; then
        COMPREPLY=()
    elif [[ $cur == -* && -z $kind ]]; then
        COMPREPLY=($(compgen -W "$names" -- "$cur"))
    else
        local IFS=$'\n'
        local before=("${words[@]:1:${#words[@]}-2}")
        kind=${kind:-$command}
        COMPREPLY=($("${words[0]}" _complete "$kind" "$cur" "${before[@]}" 2>/dev/null))
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
        # The shell breaks words at colons and equals signs: it wants what stands behind the last.
        local head=${cur%"${cur##*[:=]}"}
        if [[ -n $head && $COMP_WORDBREAKS == *:* ]]; then
            COMPREPLY=("${COMPREPLY[@]#"$head"}")
        fi
    fi
}
complete -F _pysane pysane pysane-scan
"""


def bash() -> str:
    """Return the script for bash."""
    cases, names = [], []
    for command, _, options in commands():
        names.append(command)
        lines = [f"    {command})"]
        strings = " ".join(name for option in options for name in option.option_strings)
        lines.append(f"        names='{strings}'")
        lines.append("        case $prev in")
        for option in options:
            if takes_value(option):
                kind = KINDS.get(option.dest, "none")
                words = " ".join(choices(option))
                what = f"values='{words}'" if words else f"kind={kind}"
                lines.append(f"        {'|'.join(option.option_strings)}) {what} ;;")
        lines += ["        esac", "        ;;"]
        cases.append("\n".join(lines))
    return BASH.replace("@CASES@", "\n".join(cases)).replace("@COMMANDS@", " ".join(names))


# fish


def fish() -> str:
    """Return the script for fish."""
    lines = ["# fish completion for pysane; made by: pysane completion fish"]
    lines += ["complete -c pysane -f"]
    for command, text, options in commands():
        lines.append(f"complete -c pysane -n __fish_use_subcommand -a {command} -d {_quoted(text)}")
        where = f"-n '__fish_seen_subcommand_from {command}'"
        for option in options:
            lines.append(f"complete -c pysane {where}{_fish_option(option)}")
        if command in OPERANDS:
            ask = f"(pysane _complete {command} (commandline -ct) (commandline -opc)[2..])"
            lines.append(f"complete -c pysane {where} -a {_quoted(ask)}")
    return "\n".join([*lines, ""])


def _fish_option(option: argparse.Action) -> str:
    text = ""
    for name in option.option_strings:
        text += f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}"
    if takes_value(option):
        kind = KINDS.get(option.dest)
        words = " ".join(choices(option))
        if kind in ("files", "folders"):
            text += " -r -F"
        elif words:
            text += f" -x -a {_quoted(words)}"
        elif kind:
            ask = f"(pysane _complete {kind} (commandline -ct) (commandline -opc)[2..])"
            text += f" -x -a {_quoted(ask)}"
        else:
            text += " -x"
    return f"{text} -d {_quoted(title(option))}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# zsh

ZSH = r"""#compdef pysane
# zsh completion for pysane; made by: pysane completion zsh
_pysane_ask() {
    local -a found
    found=("${(@f)$(pysane _complete "$1" "$PREFIX" "${(@)words[1,CURRENT-1]}" 2>/dev/null)}")
    found=(${found:#})
    local -a open done
    open=(${(M)found:#*=}) done=(${found:#*=})
    (( $#open )) && compadd -S '' -- $open
    (( $#done )) && compadd -- $done
}
_pysane() {
    local -a commands
    commands=(
@COMMANDS@
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    case $command in
@CASES@
    esac
}
if [[ $funcstack[1] == _pysane ]]; then
    _pysane "$@"
else
    compdef _pysane pysane
fi
"""


def zsh() -> str:
    """Return the script for zsh."""
    names, cases = [], []
    for command, text, options in commands():
        names.append(f"        {_shell(f'{command}:{text}')}")
        lines = [
            f"    {command})",
            "        shift words; (( CURRENT-- ))",
            "        _arguments -s \\",
        ]
        specs = [_zsh_option(option) for option in options]
        if command in OPERANDS:
            specs.append(_shell(f"*:{command}:_pysane_ask {command}"))
        lines += [f"            {spec} \\" for spec in specs]
        lines[-1] = lines[-1].rstrip(" \\")
        lines.append("        ;;")
        cases.append("\n".join(lines))
    return ZSH.replace("@COMMANDS@", "\n".join(names)).replace("@CASES@", "\n".join(cases))


def _zsh_option(option: argparse.Action) -> str:
    text = title(option).replace("[", "(").replace("]", ")").replace(":", "\\:")
    value = ""
    if takes_value(option):
        words = " ".join(choices(option))
        kind = KINDS.get(option.dest)
        if words:
            action = f"({words})"
        elif kind == "files":
            action = "_files"
        elif kind == "folders":
            action = "_files -/"
        else:
            action = f"_pysane_ask {kind}" if kind else " "
        value = f":{option.dest}:{action}"
    names = option.option_strings
    specs = []
    for name in names:
        equals = "=" if value and name.startswith("--") else ""
        specs.append(_shell(f"({' '.join(names)}){name}{equals}[{text}]{value}"))
    return " ".join(specs)


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
