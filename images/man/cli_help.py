"""What `holdfast --help` says, verb by verb: read from the program itself, so that the man page and
the completion cannot tell of another one."""
import re
import subprocess
from dataclasses import dataclass, field

SECTIONS = ("Positionals:", "Options:", "Subcommands:")
DESCRIPTION_COLUMN = 24  # What starts further right goes on describing the line before.
NOTES = re.compile(r"\s+(?:REQUIRED|(?:Needs|Excludes): [^:]*$)")


@dataclass
class Option:
    names: list
    value: str  # Empty: it takes none.
    required: bool
    text: str


@dataclass
class Verb:
    words: list  # ["system", "add"]; empty for the program itself.
    summary: str = ""
    usage: str = ""
    positionals: list = field(default_factory=list)  # (name, text)
    options: list = field(default_factory=list)
    closing: list = field(default_factory=list)  # Lines behind the sections.
    verbs: list = field(default_factory=list)

    def option_names(self):
        return [name for option in self.options for name in option.names]

    def all(self):
        """This one and all below."""
        yield self
        for verb in self.verbs:
            yield from verb.all()


def read(program, words=()):
    """The Verb that `program WORDS --help` describes, with all below it."""
    shown = subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True)
    verb, below = parse(shown.stdout, list(words))
    verb.verbs = [read(program, [*words, name]) for name in below]
    return verb


def parse(text, words):
    verb, below = Verb(words), []
    lines = text.splitlines()
    verb.summary = lines[0].strip()
    section = None
    for line in lines[1:]:
        if line.startswith("Usage: "):
            verb.usage = re.sub(r"\(\d+x\)", "", line.removeprefix("Usage: "))
        elif line in SECTIONS:
            section = line
        elif line.startswith("  ") and section is not None:
            add(verb, below, section, line)
        elif line.strip():
            section = None
            verb.closing.append(line)
    return verb, below


def add(verb, below, section, line):
    target = dict(zip(SECTIONS, (verb.positionals, verb.options, below)))[section]
    if line[:DESCRIPTION_COLUMN].strip() == "":
        describe_further(target, section, line.strip())
        return
    head, _, text = line.strip().partition("  ")
    text = text.strip()
    if section == "Subcommands:":
        target.append(head)
    elif section == "Positionals:":
        target.append((clean(re.sub(r" TEXT\b", "", head)), text))
    else:
        names, _, value = head.partition(" ")
        required = " REQUIRED" in f" {value}"
        target.append(Option(names.split(","), clean(f" {value}"), required, text))


def describe_further(target, section, text):
    if section == "Options:":
        target[-1].text = f"{target[-1].text} {text}".strip()
    elif section == "Positionals:":
        name, before = target[-1]
        target[-1] = (name, f"{before} {text}".strip())


def clean(head):
    """The name of a value, without CLI11's notes."""
    while NOTES.search(head):
        head = NOTES.sub("", head)
    return head.removesuffix(" ...").strip()
