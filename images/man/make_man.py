"""make_man.py PROGRAM HAND_WRITTEN OUT: writes holdfast(1) to OUT.

The verbs and options come from PROGRAM's --help; the rest is HAND_WRITTEN, in which a line
"@VERBS@" says where they go, and "@VERSION@" stands for what --version prints."""
import pathlib
import subprocess
import sys

import cli_help


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def option_lines(option):
    names = ", ".join(f"\\fB{escape(name)}\\fR" for name in option.names)
    value = f" \\fI{escape(option.value)}\\fR" if option.value else ""
    yield ".TP"
    yield names + value
    yield escape(option.text + (" (required)" if option.required else ""))


def verb_lines(verb):
    yield f'.SS "{escape(" ".join(verb.words))}"'
    usage = verb.usage.removeprefix("holdfast ").removeprefix(" ".join(verb.words)).strip()
    yield f"\\fBholdfast {escape(' '.join(verb.words))}\\fR {escape(usage)}"
    yield ".PP"
    yield escape(verb.summary[:1].upper() + verb.summary[1:]).rstrip(".") + \
        ("" if verb.summary.endswith("?") else ".")
    for name, text in verb.positionals:
        yield ".TP"
        yield f"\\fI{escape(name)}\\fR"
        yield escape(text)
    for option in verb.options:
        if "--help" not in option.names:
            yield from option_lines(option)
    for line in verb.closing:
        yield ".PP"
        example = line.removeprefix("Example: ")
        yield f"Example: \\fB{escape(example)}\\fR" if example != line else escape(line)


def sections(program):
    top = cli_help.read(program)
    yield ".SH OPTIONS"
    for option in top.options:
        yield from option_lines(option)
    yield ".SH VERBS"
    for verb in top.all():
        if verb.words and not verb.verbs:
            yield from verb_lines(verb)


def main():
    program, hand_written, out = sys.argv[1:]
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    page = pathlib.Path(hand_written).read_text(encoding="utf-8")
    page = page.replace("@VERSION@", version.stdout.strip())
    page = page.replace("@VERBS@", "\n".join(sections(program)))
    pathlib.Path(out).write_text(page, encoding="utf-8")


main()
