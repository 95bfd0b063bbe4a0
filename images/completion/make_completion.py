"""make_completion.py PROGRAM TEMPLATE OUT: writes the bash completion to OUT: TEMPLATE, where
"@WORDS@" stands for the words that PROGRAM's --help tells of, verb by verb."""
import pathlib
import sys

import cli_help

# What the words of --help for values and operands stand for, where completion can name some.
KINDS = {"SYSTEM": "system", "SNAPSHOT": "snapshot", "DIR": "folder", "FILE": "file"}


def quoted(words):
    return "'" + " ".join(words) + "'"


def value_lines(key, options):
    """What may follow an option: nothing is said of values that only their writer knows."""
    for option in options:
        for name in option.names:
            if option.value:
                kind = value_kind(name, option.value)
                yield f"  ['{(key + ' ' + name).strip()}']='{kind}'"


def value_kind(name, value):
    if name == "--snapshot":
        return "snapshot"
    if value in KINDS:
        return KINDS[value]
    return "file" if name.endswith("-file") else "text"


def operand_kinds(verb):
    for name, _ in verb.positionals:
        for word in name.split():
            if verb.words[0] == "system" and word == "NAME":
                yield "system"
            elif word in KINDS:
                yield KINDS[word]


def lines(program):
    verbs, options, operands, values = [], [], [], []
    for verb in cli_help.read(program).all():
        key = " ".join(verb.words)
        if verb.verbs:
            verbs.append(f"  ['{key or '.'}']={quoted([below.words[-1] for below in verb.verbs])}")
        options.append(f"  ['{key or '.'}']={quoted(verb.option_names())}")
        kinds = list(operand_kinds(verb))
        if kinds:
            operands.append(f"  ['{key}']={quoted(kinds)}")
        values += value_lines(key, verb.options)
    for name, body in (("verbs", verbs), ("options", options), ("operands", operands),
                       ("values", values)):
        yield f"declare -gA _holdfast_{name}=("
        yield from body
        yield ")"


def main():
    program, template, out = sys.argv[1:]
    text = pathlib.Path(template).read_text(encoding="utf-8")
    text = text.replace("@WORDS@", "\n".join(lines(program)))
    pathlib.Path(out).write_text(text, encoding="utf-8")


main()
