"""Objects, keys, settings and arguments that are wrong, as an admin meets them."""
import itertools
import os
import re
import shutil
import sys
import unittest

from node import HOLDFAST, SOURCE, Node, change_tree, differences, make_tree

sys.path.insert(0, os.path.join(SOURCE, "images/man"))
import cli_help  # noqa: E402

KINDS = ("roster", "domain", "custody", "epoch", "pack", "list", "ledger")


def load(path):
    with open(path, "rb") as file:
        return file.read()


def store(path, content):
    with open(path, "wb") as file:
        file.write(content)


class WithNode(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.tree = self.node.path("tree")
        make_tree(self.tree, notes=5)

    def good(self, *arguments, code=0):
        outcome = self.node.run(*arguments)
        self.assertEqual(outcome.code, code, outcome.err)
        return outcome

    def snapshot(self, code=0):
        return self.good("snapshot", "--path", self.tree, "share", "--json", code=code).json()


class ObjectsTest(WithNode):
    """What is swapped, retyped or replayed is found, whichever object it is."""

    def setUp(self):
        super().setUp()
        self.snapshot()
        change_tree(self.tree, 1)
        for name in os.listdir(self.node.home + "/state/epochs"):
            os.unlink(os.path.join(self.node.home, "state/epochs", name))  # Another epoch.
        self.snapshot()
        self.objects = {kind: self.node.objects(kind) for kind in KINDS if kind != "custody"}

    def assert_refused(self):
        outcome = self.node.run("verify", "--read-data")
        self.assertEqual(outcome.code, 1, outcome.out)
        self.assertNotEqual(outcome.err, "")

    def test_two_of_a_kind_swapped(self):
        for kind, paths in self.objects.items():
            for one, other in itertools.combinations(paths, 2):
                with self.subTest(kind=kind, one=os.path.basename(one), other=os.path.basename(other)):
                    first, second = load(one), load(other)
                    store(one, second)
                    store(other, first)
                    self.assert_refused()
                    store(one, first)
                    store(other, second)
        self.good("verify", "--read-data")

    def test_an_object_in_the_place_of_another_kind(self):
        for kind, other in itertools.permutations(self.objects, 2):
            with self.subTest(place=kind, content=other):
                place = self.objects[kind][-1]
                good = load(place)
                store(place, load(self.objects[other][0]))
                self.assert_refused()
                store(place, good)
        self.good("verify", "--read-data")

    def test_an_old_object_replayed_in_the_place_of_a_newer(self):
        for kind, paths in self.objects.items():
            if len(paths) < 2:
                continue
            with self.subTest(kind=kind):
                good = load(paths[-1])
                store(paths[-1], load(paths[-2]))
                self.assert_refused()
                store(paths[-1], good)

    def test_a_pack_on_no_list_is_neither_used_nor_damage(self):
        stranger = Node("Trumpton")
        self.addCleanup(stranger.close)
        self.assertEqual(stranger.run("snapshot", "--path", self.tree, "share").code, 0)
        for path in stranger.objects("pack"):
            copy = os.path.join(self.node.vault, os.path.relpath(path, stranger.vault))
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(path, copy)
        self.good("verify", "--read-data")
        to = self.node.path("restored")
        self.good("restore", "--latest", "share", "--to", to)
        self.assertEqual(differences(self.tree, to), [])

    def test_another_trusts_snapshot_in_this_vault_is_refused(self):
        stranger = Node("Trumpton")
        self.addCleanup(stranger.close)
        self.assertEqual(stranger.run("snapshot", "--path", self.tree, "theirs").code, 0)
        for kind in ("ledger", "list", "pack", "epoch"):
            shutil.copytree(os.path.join(stranger.vault, kind), os.path.join(self.node.vault, kind),
                            dirs_exist_ok=True)
        outcome = self.node.run("verify")
        self.assertEqual(outcome.code, 1)
        self.assertIn("another trust", outcome.err)
        self.assertEqual(self.good("snapshots", "theirs", "--json").json(), [])


class KeysTest(WithNode):
    """A key that is not the one."""

    def setUp(self):
        super().setUp()
        self.snapshot()
        self.stranger = Node("Trumpton")
        self.addCleanup(self.stranger.close)
        self.assertEqual(self.stranger.run("snapshot", "--path", self.tree, "share").code, 0)

    def test_another_nodes_key_writes_no_snapshot(self):
        before = self.node.objects("ledger")
        shutil.copyfile(self.stranger.home + "/keys/agent.key", self.node.home + "/keys/agent.key")
        change_tree(self.tree, 1)
        outcome = self.node.run("snapshot", "share")
        self.assertEqual(outcome.code, 1, outcome.out)
        self.assertIn("roster", outcome.err)
        self.assertEqual(self.node.objects("ledger"), before)

    def test_another_domains_key_opens_nothing_of_this_one(self):
        ours = os.path.join(self.node.home, "keys/domains")
        theirs = os.path.join(self.stranger.home, "keys/domains")
        for name in os.listdir(ours):
            shutil.copyfile(os.path.join(theirs, os.listdir(theirs)[0]), os.path.join(ours, name))
        outcome = self.node.run("restore", "--latest", "share", "--to", self.node.path("to"))
        self.assertEqual(outcome.code, 1)
        self.assertEqual(self.node.run("verify", "--read-data").code, 1)

    def test_a_damaged_key_file_is_told_with_its_path(self):
        path = self.node.home + "/keys/agent.key"
        store(path, load(path)[:-1])
        outcome = self.node.run("snapshots")
        self.assertEqual(outcome.code, 1)
        self.assertIn(path, outcome.err)


class ChainTest(WithNode):
    """The node's own chain is damaged: it goes on in another, says so, and forgets nothing."""

    def setUp(self):
        super().setUp()
        self.first = self.snapshot()
        change_tree(self.tree, 1)
        self.second = self.snapshot()
        self.entries = self.node.objects("ledger")

    def check_goes_on(self):
        change_tree(self.tree, 2)
        third = self.snapshot(code=3)
        self.assertEqual([w["path"] for w in third["warning_list"]],
                         ["ledger/" + os.path.basename(os.path.dirname(self.entries[0]))])
        self.assertIn("new chain", third["warning_list"][0]["what"])
        self.assertEqual([s["id"] for s in self.good("snapshots", "--json").json()],
                         [self.first["id"], third["id"]])
        verified = self.node.run("verify", "--read-data")
        self.assertEqual(verified.code, 1)
        self.assertIn(os.path.basename(os.path.dirname(self.entries[0])), verified.err)
        for snapshot in (self.first["id"], third["id"]):
            to = self.node.path("to-" + snapshot)
            self.good("restore", snapshot, "--to", to)
        self.assertEqual(differences(self.tree, to), [])
        self.snapshot()  # Without a warning: the new chain is sound.

    def test_a_damaged_last_entry(self):
        content = load(self.entries[-1])
        store(self.entries[-1], content[:-1] + bytes([content[-1] ^ 1]))
        self.check_goes_on()

    def test_a_missing_last_entry(self):
        os.unlink(self.entries[-1])
        self.check_goes_on()


class SettingsTest(WithNode):
    """A typo is told with file, line, and what was expected; exit 2."""

    def check(self, path, text, line, said, *verb):
        store(path, text.encode())
        outcome = self.node.run(*verb)
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertRegex(outcome.err, re.escape(path) + rf":{line}:\d+: .*{said}")

    def test_node_toml(self):
        path = self.node.home + "/node.toml"
        good = load(path).decode()
        self.check(path, good + "[peeer]\n", good.count("\n") + 1, "peeer.*peer", "snapshots")
        self.check(path, good + "[peer]\nlisten = 8420\n", good.count("\n") + 2, "listen", "snapshots")
        self.check(path, good.replace("trust = ", "trust = 7 #"), 1 + good[:good.index("trust =")].count("\n"),
                   "trust", "snapshots")
        store(path, good.encode())
        self.good("snapshots")

    def test_a_systems_file(self):
        path = self.node.home + "/systems/epr.toml"
        self.check(path, 'name = "epr"\ntitle = "EPR"\n[[source]]\nname = "a"\nkind = "fiels"\n', 5,
                   "fiels.*files", "system", "show", "epr")
        self.check(path, 'name = "epr"\nopening_keys = "nod"\n', 2, "nod.*node", "snapshot", "epr")

    def test_a_runtimes_file(self):
        system = self.node.path("epr.toml")
        self.write_runtime("start = 7\n")
        store(system, b'name = "epr"\ntitle = "EPR"\n[[source]]\nname = "a"\nkind = "files"\npath = "/srv"\n')
        self.good("system", "add", system)
        outcome = self.node.run("drill", "epr")
        self.assertNotEqual(outcome.code, 0)

    def write_runtime(self, text):
        store(self.node.home + "/runtimes/epr.toml", text.encode())


class ArgumentsTest(WithNode):
    """Every verb refuses what it does not know, with 2 and a word on what to do, and changes nothing."""

    def test_an_unknown_option_and_a_missing_argument(self):
        before = self.node.objects("")
        for verb in cli_help.read(HOLDFAST).all():
            if verb.verbs or not verb.words:
                continue
            with self.subTest(verb=verb.words):
                outcome = self.node.run(*verb.words, "--no-such-option")
                self.assertEqual(outcome.code, 2, outcome.out)
                self.assertIn("--help", outcome.err)
                needs = any(option.required for option in verb.options)
                needs = needs or re.search(r"(?<!\[)\b[A-Z]{2,}\b(?! ?\.\.\.\])", verb.usage.split("]")[-1])
                if needs:
                    outcome = self.node.run(*verb.words)
                    self.assertEqual(outcome.code, 2, outcome.out)
                    self.assertRegex(outcome.err, "required|--help|give|name")
        self.assertEqual(self.node.objects(""), before)

    def test_a_verb_that_does_not_exist(self):
        for words in (["snapshoot"], ["system", "ad"], ["run", "aprove", "1"], []):
            outcome = self.node.run(*words)
            self.assertEqual(outcome.code, 2)
            self.assertIn("--help", outcome.err)

    def test_values_that_cannot_be(self):
        self.snapshot()
        for words, said in (
                (["snapshot", "../etc"], "name"),
                (["snapshot", "nobody"], "nobody"),
                (["restore", "zz", "--to", self.node.path("to")], "four digits"),
                (["restore", "--latest", "nobody", "--to", self.node.path("to")], "nobody"),
                (["run", "show", "x"], "--help")):
            with self.subTest(words=words):
                outcome = self.node.run(*words)
                self.assertIn(outcome.code, (1, 2))
                self.assertRegex(outcome.err, said)


if __name__ == "__main__":
    unittest.main(verbosity=1)
