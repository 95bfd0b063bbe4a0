"""The recovery key is renewed: what sealed the data stays, and another kit alone opens it."""
import os
import shutil
import subprocess
import unittest

from node import (HOLDFAST, RESCUE, Node, Outcome, RunningNode, agree, differences, make_tree, pair,
                  was_killed)


def kit_at(folder):
    return ["--kit", folder + "/recovery-kit.json", "--passphrase-file", folder + "/passphrase.txt"]


def contents(tree):
    """Of the regular files in a tree."""
    out = {}
    for at, _, names in os.walk(os.fsencode(os.path.realpath(tree))):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    out[os.path.relpath(path, os.fsencode(os.path.realpath(tree)))] = file.read()
    return out


class Renewing:
    """What both have: a node with an open and a locked system, and three custodians."""

    def set_up(self, node):
        self.node = node
        self.tree = node.path("tree")
        make_tree(self.tree, notes=5)
        self.passphrase = node.write("pass", "correct horse\n")
        for name in ("Eve", "Frank", "Gus"):
            node.ok("custodian", "add", name, "--key-file", node.path(name + ".key"), "--passphrase-file",
                    self.passphrase)
        self.old = kit_at(node.home + "/kit")
        node.ok("recovery", "custody", *self.old)
        node.ok("snapshot", "--path", self.tree, "share")
        plan = node.write("secret.toml", f'name = "secret"\ntitle = "S"\nopening_keys = "locked"\n'
                                         f'[[source]]\nkind = "files"\npath = "{self.tree}"\n')
        node.ok("system", "add", plan)
        node.ok("snapshot", "secret")

    def renew(self, kit, name, *options, **how):
        return self.node.run("recovery", "renew", *kit, "--out", self.node.path(name), "--json", *options, **how)

    def new_kit(self, name):
        return kit_at(self.node.path(name))

    def assert_sound(self, node=None):
        verified = (node or self.node).run("verify", "--read-data")
        self.assertEqual(verified.code, 3, verified.err)  # The locked system's content is not opened.
        self.assertIn("content not opened", verified.out)
        self.assertEqual(verified.err, "")

    def share(self, name, suffix=""):
        out = self.node.path(name + suffix + ".share")
        self.node.ok("custodian", "share", "--key-file", self.node.path(name + ".key"), "--passphrase-file",
                     self.passphrase, "--out", out)
        return out

    def opens(self, kit):
        """True if the rescue reader opens all snapshots of both systems with this kit."""
        return os.path.exists(kit[3]) and self.rescue(kit, "verify").code == 0

    def rescue(self, kit, *arguments):
        return Outcome(subprocess.run([RESCUE, *kit, self.node.vault, *arguments], stdin=subprocess.DEVNULL,
                                      capture_output=True))


class RenewTest(Renewing, unittest.TestCase):
    def setUp(self):
        node = Node()
        self.addCleanup(node.close)
        self.set_up(node)

    def bytes_of(self, folder):
        out = {}
        for path in self.node.objects(folder):
            with open(path, "rb") as file:
                out[path] = file.read()
        return out

    def seals(self, folder):
        return {path.partition("-")[2] for path in map(os.path.basename, self.node.objects(folder))}

    def test_the_new_kit_alone_opens_what_the_same_packs_hold(self):
        packs = self.bytes_of("pack")
        old_shares = [self.share("Eve", "-old"), self.share("Frank", "-old")]
        done = self.renew(self.old, "new")
        self.assertEqual(done.code, 0, done.err)
        told = done.json()
        self.assertEqual((told["roster"], told["custody"], told["domains"]), (2, 2, 2), told)
        self.assertTrue(told["old_removed"])
        new = self.new_kit("new")
        for path in told["kit"], told["passphrase_file"]:
            self.assertEqual(os.stat(path).st_mode & 0o077, 0)

        # Packs are the very same; all else of keys is under the new seal alone.
        self.assertEqual(self.bytes_of("pack"), packs)
        for folder in "domain", "epoch":
            self.assertEqual(len(self.seals(folder)), 1)
            self.assertNotIn("", self.seals(folder))
        keys = os.listdir(self.node.home + "/keys/domains")
        self.assertEqual({name.count("-") for name in keys}, {1}, keys)

        # Work goes on: nothing is stored twice, old and new are read.
        self.assert_sound()
        again = self.node.ok("snapshot", "share", "--json").json()
        self.assertEqual(again["new_bytes"], 0)
        to = self.node.path("restored")
        self.node.ok("restore", "--latest", "share", "--to", to)
        self.assertEqual(differences(self.tree, to), [])
        self.node.ok("snapshot", "secret")
        self.assertTrue(self.opens(new))

        # What was is refused: kit and shares, by the reader without Holdfast too.
        self.assertFalse(self.opens(self.old))
        for words in (("recovery", "custody", *self.old),
                      ("recovery", "renew", *self.old, "--out", self.node.path("again")),
                      ("recovery", "unlock", "secret", *self.old),
                      ("custodian", "combine", *old_shares)):
            outcome = self.node.run(*words)
            self.assertEqual(outcome.code, 1, words)
        self.assertFalse(os.path.exists(self.node.path("again")))
        shares = [self.share("Eve"), self.share("Frank")]
        self.assertIn("secret", self.node.ok("custodian", "combine", *shares).out)
        mixed = self.node.run("custodian", "combine", shares[0], old_shares[1])
        self.assertEqual(mixed.code, 1)

        # A locked system opens with the new kit.
        locked = self.node.run("restore", "--latest", "secret", "--to", self.node.path("locked"))
        self.assertEqual(locked.code, 1)
        self.assertIn("locked", locked.err)
        unlocked = self.node.run("recovery", "unlock", "secret", *new)
        if unlocked.code == 1 and "keyring" in unlocked.err:
            print("skipped in part: the kernel gives this process no keyring")
        else:
            to = self.node.path("unlocked")
            self.node.ok("restore", "--latest", "secret", "--to", to)
            self.assertEqual(differences(self.tree, to), [])
            self.node.ok("recovery", "unlock", "secret", "--end")

        # And once more, and a new system after it.
        done = self.renew(new, "newest")
        self.assertEqual(done.code, 0, done.err)
        self.node.ok("snapshot", "--path", self.tree, "another")
        self.assertTrue(self.opens(self.new_kit("newest")))
        self.assertFalse(self.opens(new))

    def test_a_kit_is_handed_over_and_renewed_in_any_order(self):
        self.assertEqual(self.renew(self.old, "one").code, 0)
        self.node.ok("recovery", "hand-over", *self.new_kit("one"), "--out", self.node.path("two"))
        done = self.renew(self.new_kit("one"), "three")
        self.assertEqual(done.code, 1)
        self.assertIn("older than the roster", done.err)
        done = self.renew(self.new_kit("two"), "three")
        self.assertEqual(done.code, 0, done.err)
        self.node.ok("snapshot", "share")
        self.assertTrue(self.opens(self.new_kit("three")))

    def test_a_passphrase_of_ones_own(self):
        own = self.node.write("own", "a passphrase of my own\n")
        done = self.renew(self.old, "new", "--new-passphrase-file", own)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(done.json()["passphrase_file"], "")
        kit = ["--kit", done.json()["kit"], "--passphrase-file", own]
        self.assertTrue(self.opens(kit))

    def test_what_still_reads_by_the_old_keeps_it_until_it_ends(self):
        mount = self.node.path("mount")
        os.mkdir(mount)
        mounted = subprocess.Popen([HOLDFAST, "--home", self.node.home, "mount", "--all", mount],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            self.node.wait_until(lambda: os.path.ismount(mount) or mounted.poll() is not None)
            if mounted.poll() is not None:
                self.skipTest(mounted.stderr.read().decode())
            done = self.renew(self.old, "new")
            self.assertEqual(done.code, 0, done.err)
            self.assertFalse(done.json()["old_removed"])
            self.assertIn("", self.seals("epoch"))
            inside = os.path.join(mount, "share", "latest")
            self.assertEqual(contents(inside), contents(self.tree))
            self.node.ok("prune")
            self.assertIn("", self.seals("epoch"))
        finally:
            mounted.terminate()
            mounted.communicate()
        self.node.ok("prune")
        self.assertNotIn("", self.seals("epoch"))
        self.assertTrue(self.opens(self.new_kit("new")))

    def test_nobody_writes_meanwhile(self):
        os.mkfifo(self.tree + "/../slow")
        self.node.write("slow.toml", f'name = "slow"\ntitle = "S"\n[[source]]\nkind = "command"\n'
                                     f'command = ["/bin/cat", "{self.node.path("slow")}"]\n')
        self.node.ok("system", "add", self.node.path("slow.toml"))
        snapshot = subprocess.Popen([HOLDFAST, "--home", self.node.home, "snapshot", "slow"])
        with open(self.node.path("slow"), "w", encoding="ascii") as file:  # It waits for us now.
            done = self.renew(self.old, "new")
            self.assertEqual(done.code, 1)
            self.assertIn("somebody writes in this vault", done.err)
            file.write("slow")
        self.assertEqual(snapshot.wait(), 0)
        # The kit that was made is the one that it goes on with.
        done = self.renew(self.old, "new")
        self.assertEqual(done.code, 0, done.err)
        self.assertTrue(self.opens(self.new_kit("new")))

    def test_damage_ends_it_before_anything_is_in_force(self):
        path = self.node.objects("epoch")[0]
        with open(path, "rb") as file:
            whole = file.read()
        with open(path, "r+b") as file:
            file.seek(100)
            file.write(b"x")
        done = self.renew(self.old, "new")
        self.assertEqual(done.code, 1)
        self.assertIn("epoch", done.err)
        with open(path, "wb") as file:
            file.write(whole)
        self.assertTrue(self.opens(self.old))
        done = self.renew(self.old, "new")
        self.assertEqual(done.code, 0, done.err)
        self.assertTrue(self.opens(self.new_kit("new")))

    def test_killed_anywhere_one_of_the_two_kits_opens_everything(self):
        before = shutil.copytree(self.node.home, self.node.path("before"), symlinks=True)
        for fault in range(1, 100, 2):  # Each costs six passphrases.
            shutil.rmtree(self.node.home)
            shutil.copytree(before, self.node.home, symlinks=True)
            name = f"new-{fault}"
            done = self.renew(self.old, name, fault=fault)
            if not was_killed(done):
                break
            new = self.new_kit(name)
            with self.subTest(fault):
                # What is written now is opened by the one that is in force, and all before it.
                self.node.ok("snapshot", "share")
                self.node.ok("snapshot", "secret")
                renewed = any(path.endswith("/0000000000000002") for path in self.node.objects("roster"))
                self.assertTrue(self.opens(new if renewed else self.old))
                pending = os.path.exists(self.node.home + "/state/renewal.json")
                if renewed and not pending:
                    self.node.ok("prune")  # All that was left to do.
                    continue
                # Run again it ends, whatever was done.
                if not pending:
                    shutil.rmtree(self.node.path(name), ignore_errors=True)
                again = self.renew(self.old, name)
                self.assertEqual(again.code, 0, again.err)
                self.assertTrue(self.opens(new))
                self.assertFalse(self.seals("epoch") & {""})
                self.assert_sound()
        self.assertEqual(done.code, 0, done.err)
        self.assertGreater(fault, 10)


class RenewWithPartnerTest(Renewing, unittest.TestCase):
    def setUp(self):
        self.host = RunningNode("Trumpton").start()
        self.addCleanup(self.host.close)
        node = RunningNode("Camberwick Green").start()
        self.addCleanup(node.close)
        self.set_up(node)
        pair(self.host, node)
        agree(node, self.host)
        node.ok("recovery", "kit")
        node.ok("replicate", "--wait")

    def recover(self, kit):
        new = RunningNode(None)
        self.addCleanup(new.close)
        new.trust = "Camberwick Green"
        return new, new.run("recover", *kit, "--from", "Trumpton", "--listen", new.address, "--address",
                            new.address)

    def test_the_partner_gives_everything_to_the_new_kit(self):
        done = self.renew(self.old, "new")
        self.assertEqual(done.code, 0, done.err)
        self.node.ok("snapshot", "share")
        self.node.ok("replicate", "--wait")
        at_partner = self.node.path("at-partner")
        self.node.ok("restore", "--latest", "share", "--from", "Trumpton", "--to", at_partner)
        self.assertEqual(differences(self.tree, at_partner), [])
        self.node.stop()
        _, outcome = self.recover(self.old)
        self.assertEqual(outcome.code, 1)
        self.assertIn("older than the trust's recovery key", outcome.err)
        recovered, outcome = self.recover(self.new_kit("new"))
        self.assertIn(outcome.code, (0, 3), outcome.err)
        to = recovered.path("restored")
        recovered.ok("restore", "--latest", "share", "--to", to)
        self.assertEqual(differences(self.tree, to), [])
        recovered.ok("snapshot", "--path", self.tree, "share")
        self.assert_sound(recovered)

    def test_it_waits_for_a_partner_that_is_away(self):
        self.host.stop()
        done = self.renew(self.old, "new")
        self.assertEqual(done.code, 1)
        self.assertIn("not brought to Trumpton", done.err)
        # Nothing is in force: at the partner and here the old kit opens everything.
        self.assertTrue(self.opens(self.old))
        self.node.ok("snapshot", "share")
        self.host.start()
        done = self.renew(self.old, "new")
        self.assertEqual(done.code, 0, done.err)
        self.node.ok("replicate", "--wait")
        self.node.stop()
        recovered, outcome = self.recover(self.new_kit("new"))
        self.assertIn(outcome.code, (0, 3), outcome.err)
        to = recovered.path("restored")
        recovered.ok("restore", "--latest", "share", "--to", to)
        self.assertEqual(differences(self.tree, to), [])

    def test_or_goes_on_without_it(self):
        self.host.stop()
        done = self.renew(self.old, "new", "--without", "Trumpton")
        self.assertEqual(done.code, 0, done.err)
        self.host.start()
        self.node.ok("replicate", "--wait")
        self.node.stop()
        recovered, outcome = self.recover(self.new_kit("new"))
        self.assertIn(outcome.code, (0, 3), outcome.err)
        self.assert_sound(recovered)


if __name__ == "__main__":
    unittest.main()
