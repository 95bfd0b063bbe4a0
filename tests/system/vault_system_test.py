"""init, snapshot, restore, verify: with good input, bad input, damage, full disks and kills."""
import json
import os
import re
import shutil
import subprocess
import unittest

from node import Node, change_tree, differences, make_tree, was_killed
from tree_case import TreeCase


class VaultTest(TreeCase):
    def test_what_comes_back_is_what_went_in(self):
        first = self.snapshot()
        before = self.node.path("before")
        shutil.copytree(self.tree, before, symlinks=True)
        subprocess.run(["cp", "-a", "--remove-destination", self.tree + "/.", before], check=True)
        change_tree(self.tree, 7)
        second = self.snapshot()
        self.assertLess(second["new_bytes"], first["new_bytes"] / 4)
        self.assertEqual(differences(self.tree, self.restored("--latest", "share")), [])
        self.assertEqual(differences(before, self.restored(first["id"][:12])), [])
        self.good("verify", "--read-data")
        listed = self.good("snapshots", "share", "--json").json()
        self.assertEqual([s["id"] for s in listed], [first["id"], second["id"]])

    def test_the_rescue_reader_restores_the_same(self):
        self.snapshot()
        to = self.node.path("rescued")
        rescued = self.node.rescue("restore", "--latest", "share", "--to", to)
        self.assertEqual(rescued.code, 0, rescued.err)
        self.assertEqual(differences(self.tree, to), [])
        self.assertEqual(self.node.rescue("verify").code, 0)

    def test_an_unchanged_tree_is_not_read_again(self):
        self.snapshot()
        again = self.snapshot()
        self.assertEqual(again["new_bytes"], 0)
        self.assertEqual(again["read_bytes"], 0)
        self.assertEqual(len(self.node.objects("pack")), 2)

    def test_usage_mistakes_exit_with_2_and_change_nothing(self):
        for arguments in (["snapshot"], ["snapshots", "--nonsense"], ["restore", "--latest", "share"],
                          ["restore", "--to", "/tmp/x"], ["nonsense"], []):
            self.assertEqual(self.node.run(*arguments).code, 2, arguments)
        self.assertEqual(self.node.run("snapshot", "--path", self.tree, "../../etc").code, 2)
        self.assertEqual(self.good("snapshots", "--json").json(), [])
        self.assertEqual(self.node.run("restore", "beef", "--to", self.node.path("x")).code, 1)

    def test_a_verb_that_is_not_there_is_named_with_what_was_meant(self):
        for words, said in ((("snapshto",), 'no verb "snapshto"; did you mean "snapshot"?'),
                            (("system", "chekc", "x"), 'no verb "system chekc"; did you mean "check"?'),
                            (("frobnicate", "--json"), 'no verb "frobnicate" (holdfast --help')):
            outcome = self.node.run(*words)
            self.assertEqual(outcome.code, 2)
            self.assertIn(said, outcome.err)
        self.assertEqual(self.node.run("system", "--help").code, 0)
        self.assertIn("The following argument", self.node.run("snapshots", "one", "two").err)

    def test_a_second_init_is_refused(self):
        again = self.node.run("init", "--trust", "Other")
        self.assertEqual(again.code, 1)
        self.assertIn("node already", again.err)

    def test_a_typo_in_the_settings_is_told_with_its_place(self):
        path = self.node.path("epr.toml")
        with open(path, "w") as f:
            f.write('name = "epr"\n[[source]]\nkind = "files"\npaht = "/srv"\n')
        outcome = self.node.run("system", "add", path)
        self.assertEqual(outcome.code, 2)
        self.assertRegex(outcome.err, re.escape(path) + r":4:\d+: .*paht.*path")
        self.assertEqual(self.node.run("system", "list", "--json").json(), [])

    def test_an_unreadable_file_is_named_and_the_rest_is_there(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to become nobody")
        hidden = os.path.join(self.tree, "hidden.txt")
        with open(hidden, "w") as f:
            f.write("secret")
        os.chmod(hidden, 0)
        subprocess.run(["chown", "-R", "nobody", self.node.root], check=True)
        os.chown(hidden, 0, 0)
        outcome = subprocess.run(
            ["setpriv", "--reuid=nobody", "--clear-groups", os.environ["HOLDFAST"], "--home",
             self.node.home, "snapshot", "--path", self.tree, "share", "--json"],
            stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(outcome.returncode, 3, outcome.stderr)
        report = json.loads(outcome.stdout)
        self.assertEqual([w["path"] for w in report["warning_list"]], ["hidden.txt"])
        os.unlink(hidden)
        self.assertEqual([d for d in differences(self.tree, self.restored("--latest", "share"))
                          if "st_mtime" not in d], [])


class DamageTest(unittest.TestCase):
    """A flipped, cut or swapped byte in any object is found, and named."""

    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.tree = self.node.path("tree")
        make_tree(self.tree, notes=10)
        outcome = self.node.run("snapshot", "--path", self.tree, "share")
        self.assertEqual(outcome.code, 0, outcome.err)

    def refused(self):
        """True if verify fails and, with the caches gone, does so again."""
        if self.node.run("verify", "--read-data").code != 1:
            return False
        for name in os.listdir(self.node.home + "/state"):
            if name.startswith("index.db"):
                os.unlink(os.path.join(self.node.home, "state", name))
        return self.node.run("verify", "--read-data").code == 1

    def test_every_kind_of_object(self):
        for folder in ("roster", "domain", "epoch", "pack", "list", "ledger"):
            objects = self.node.objects(folder)
            self.assertTrue(objects, folder)
            for path in objects:
                with open(path, "rb") as f:
                    good = f.read()
                for at in sorted({0, 9, len(good) // 2, len(good) - 40, len(good) - 1}):
                    bad = bytearray(good)
                    bad[at] ^= 1
                    with self.subTest(object=path, byte=at):
                        self.damage(path, bytes(bad))
                with self.subTest(object=path, cut=True):
                    self.damage(path, good[:-1])
                with self.subTest(object=path, grown=True):
                    self.damage(path, good + b"\0")
                with open(path, "wb") as f:
                    f.write(good)
        self.assertEqual(self.node.run("verify", "--read-data").code, 0)

    def damage(self, path, content):
        with open(path, "rb") as f:
            good = f.read()
        with open(path, "wb") as f:
            f.write(content)
        try:
            self.assertTrue(self.refused())
        finally:
            with open(path, "wb") as f:
                f.write(good)

    def test_a_pack_under_anothers_name(self):
        change_tree(self.tree, 3)
        self.assertEqual(self.node.run("snapshot", "share").code, 0)
        packs = self.node.objects("pack")
        self.assertGreaterEqual(len(packs), 2)
        shutil.copyfile(packs[0], packs[1])
        outcome = self.node.run("verify")
        self.assertEqual(outcome.code, 1)
        self.assertIn(os.path.basename(packs[1]), outcome.err)

    def test_an_old_entry_replayed_as_a_new_one(self):
        entries = self.node.objects("ledger")
        behind_a_gap = entries[-1][:-1] + "f"
        shutil.copyfile(entries[-1], behind_a_gap)
        verified = self.node.run("verify")
        self.assertEqual(verified.code, 1)
        self.assertIn("is missing, and later ones are there", verified.err)
        os.unlink(behind_a_gap)
        self.assertEqual(self.node.run("verify").code, 0)
        last = int(os.path.basename(entries[-1]), 16)
        shutil.copyfile(entries[-1], os.path.join(os.path.dirname(entries[-1]), f"{last + 1:016x}"))
        self.assertEqual(self.node.run("verify").code, 1)


class KillTest(unittest.TestCase):
    """kill -9 at every step: what was there stays whole, and the command can be run again."""

    def test_every_fault_point_of_a_snapshot(self):
        node = Node()
        self.addCleanup(node.close)
        tree = node.path("tree")
        make_tree(tree, notes=20)
        self.assertEqual(node.run("snapshot", "--path", tree, "share").code, 0)
        point, killed = 0, True
        while killed:
            point += 1
            change_tree(tree, point)
            before = node.run("snapshots", "--json").json()
            killed = was_killed(node.run("snapshot", "share", fault=point))
            verified = node.run("verify", "--read-data")
            self.assertEqual(verified.code, 0, f"point {point}: {verified.err}")
            after = node.run("snapshots", "--json").json()
            self.assertEqual(after[:len(before)], before, f"point {point}")
            again = node.run("snapshot", "share")
            self.assertEqual(again.code, 0, f"point {point}: {again.err}")
            to = node.path("restored")
            shutil.rmtree(to, ignore_errors=True)
            self.assertEqual(node.run("restore", "--latest", "share", "--to", to).code, 0)
            self.assertEqual(differences(tree, to), [], f"point {point}")
        print(f"fault points tried: {point - 1}")
        self.assertGreater(point, 8)

    def test_every_fault_point_of_init(self):
        node = Node()
        self.addCleanup(node.close)
        point, killed = 0, True
        while killed:
            point += 1
            shutil.rmtree(node.home)
            killed = was_killed(node.run("init", "--trust", "Trumpton", fault=point))
            if killed and not os.path.exists(node.home + "/node.toml"):
                self.assertEqual(node.run("init", "--trust", "Trumpton").code, 0, f"point {point}")
            self.assertEqual(node.run("verify").code, 0, f"point {point}")
        self.assertGreater(point, 8)


class FullDiskTest(unittest.TestCase):
    def test_a_full_vault_loses_nothing(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to mount a small file system")
        node = Node()
        self.addCleanup(node.close)
        tree = node.path("tree")
        make_tree(tree, notes=5)
        self.assertEqual(node.run("snapshot", "--path", tree, "share").code, 0)
        moved = node.path("moved")
        os.rename(node.vault, moved)
        os.mkdir(node.vault)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", node.vault], check=True)
        try:
            subprocess.run(["cp", "-a", moved + "/.", node.vault], check=True)
            with open(tree + "/large", "wb") as f:
                f.write(os.urandom(8 << 20))
            outcome = node.run("snapshot", "share")
            self.assertEqual(outcome.code, 1)
            self.assertIn("No space left", outcome.err)
            self.assertEqual(node.run("verify", "--read-data").code, 0)
            leftover = [p for p in node.objects("") if ".tmp-" in p]
            self.assertEqual(leftover, [])
            os.unlink(tree + "/large")
            self.assertEqual(node.run("snapshot", "share").code, 0)
        finally:
            subprocess.run(["umount", node.vault], check=True)


if __name__ == "__main__":
    unittest.main(verbosity=1)
