"""The man page and the completion tell of just the verbs and options that the program has."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

HOLDFAST = os.environ["HOLDFAST"]
SHARE = os.environ["HOLDFAST_SHARE"]
PAGE = os.path.join(SHARE, "man/holdfast.1")
COMPLETION = os.path.join(SHARE, "completion/holdfast")


def help_of(words=()):
    """Every verb below `words`, with its options; read more simply than the generators do."""
    text = subprocess.run([HOLDFAST, *words, "--help"], check=True, capture_output=True,
                          text=True).stdout
    options = set(re.findall(r"(--[a-z-]+)", "\n".join(re.findall(r"^  (-\S+)", text, re.M))))
    found = {" ".join(words): options}
    for name in re.findall(r"^  (\w\S*)", text.partition("Subcommands:\n")[2], re.M):
        found |= help_of((*words, name))
    return found


def page_sections():
    with open(PAGE, encoding="utf-8") as page:
        text = page.read().replace("\\-", "-")
    parts = re.split(r'^\.S[SH] "?([^"\n]+)"?$', text, flags=re.M)
    names = [("" if name == "OPTIONS" else name) for name in parts[1::2]]
    return {name: set(re.findall(r"^.*\\fB(--[a-z-]+)", body, re.M))
            for name, body in zip(names, parts[2::2])}


def complete(*words, home="/nonexistent"):
    """What a Tab behind `words` offers."""
    line = " ".join(f"'{word}'" for word in ["holdfast", *words])
    script = (f"source {COMPLETION}; holdfast() {{ {HOLDFAST} --home {home} \"$@\"; }}\n"
              f"compopt() {{ :; }}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _holdfast\n"
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    shown = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    return shown.stdout.split()


def closing_of(words):
    return subprocess.run([HOLDFAST, *words, "--help"], check=True, capture_output=True,
                          text=True).stdout


class CliDocs(unittest.TestCase):
    def test_each_verb_shows_an_example_and_reports_as_json(self):
        verbs = help_of()
        groups = {verb for verb in verbs if any(other.startswith(verb + " ") for other in verbs)}
        for verb, options in verbs.items():
            if verb in groups or not verb:
                continue
            self.assertIn(f"Example: holdfast {verb}", closing_of(verb.split()))
            if verb not in ("node run", "cat", "tar"):  # One goes on until it is stopped; two are files.
                self.assertIn("--json", options, f"holdfast {verb}")

    def test_the_man_page_has_each_verb_with_its_options_and_no_others(self):
        sections = page_sections()
        verbs = help_of()
        groups = {verb for verb in verbs if any(other.startswith(verb + " ") for other in verbs)}
        for verb, options in verbs.items():
            if verb in groups and verb:
                continue
            shown = sections.pop(verb) | ({"--help"} & options)
            self.assertEqual(shown, options, f"holdfast {verb}")
        self.assertFalse([name for name in sections if name.islower()], "verbs that are not there")

    def test_the_man_page_can_be_shown_without_a_complaint(self):
        if shutil.which("groff") is None:
            self.skipTest("no groff")
        shown = subprocess.run(["groff", "-man", "-ww", "-z", "-K", "utf8", PAGE],
                               capture_output=True, text=True)
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))

    def test_every_verb_and_option_completes(self):
        verbs = help_of()
        for verb, options in verbs.items():
            self.assertEqual({word for word in complete(*verb.split(), "--")}, options, verb)
            above, _, last = verb.rpartition(" ")
            if verb:
                self.assertIn(last, complete(*above.split(), last[:1]))

    def test_names_of_systems_complete_from_the_node(self):
        with tempfile.TemporaryDirectory() as folder:
            home = os.path.join(folder, "home")
            run = [HOLDFAST, "--home", home]
            subprocess.run([*run, "init", "--trust", "Trumpton"], check=True, capture_output=True)
            subprocess.run([*run, "snapshot", "fire-log", "--path", os.path.join(home, "systems")],
                           check=True, capture_output=True)
            self.assertEqual(complete("snapshots", "f", home=home), ["fire-log"])
            self.assertEqual(complete("restore", "--latest", "", home=home), ["fire-log"])
            self.assertEqual(len(complete("restore", "", home=home)), 1)
            self.assertEqual(complete("restore", "--include", "", home=home), [])


unittest.main()
