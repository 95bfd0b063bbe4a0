"""The trust key is handed over: a new kit, and the old one worthless for all that is signed."""
import os
import unittest

from node import Node, RunningNode, agree, differences, make_tree, pair, was_killed


class HandOverTest(unittest.TestCase):
    def setUp(self):
        self.host = RunningNode("Trumpton").start()
        self.addCleanup(self.host.close)
        self.node = RunningNode("Camberwick Green").start()
        self.addCleanup(self.node.close)
        self.tree = self.node.path("tree")
        make_tree(self.tree, notes=5)
        self.passphrase = self.node.write("pass", "correct horse\n")
        for name in ("Eve", "Frank", "Gus"):
            self.custodian(name)
        self.old = self.kit(self.node.home + "/kit")
        self.node.ok("recovery", "custody", *self.old)
        pair(self.host, self.node)
        agree(self.node, self.host)
        self.node.ok("recovery", "kit")
        self.node.ok("snapshot", "--path", self.tree, "share")
        self.node.ok("papers", "Trumpton")
        self.node.ok("replicate", "--wait")

    def custodian(self, name):
        self.node.ok("custodian", "add", name, "--key-file", self.node.path(name + ".key"),
                     "--passphrase-file", self.passphrase)

    def kit(self, folder):
        return ["--kit", folder + "/recovery-kit.json", "--passphrase-file", folder + "/passphrase.txt"]

    def hand_over(self, kit, name, **how):
        return self.node.run("recovery", "hand-over", *kit, "--out", self.node.path(name), "--json", **how)

    def share(self, name):
        out = self.node.path(name + ".share")
        outcome = self.node.run("custodian", "share", "--key-file", self.node.path(name + ".key"),
                                "--passphrase-file", self.passphrase, "--out", out)
        return out if outcome.code == 0 else None

    def recover(self, kit, folder):
        new = RunningNode(None)
        self.addCleanup(new.close)
        new.trust = "Camberwick Green"
        return new, new.run("recover", *kit, "--from", "Trumpton", "--listen", new.address, "--address",
                            new.address)

    def test_the_new_kit_alone_is_valid_here_and_at_the_partner(self):
        self.node.ok("custodian", "remove", "Gus")
        done = self.hand_over(self.old, "new")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual((done.json()["roster"], done.json()["custody"]), (2, 2))
        new = self.kit(self.node.path("new"))
        for path in done.json()["kit"], done.json()["passphrase_file"]:
            self.assertEqual(os.stat(path).st_mode & 0o077, 0)

        # Custody: new shares for those who are left; who is out has none of it.
        self.assertIsNone(self.share("Gus"))
        shares = [self.share("Eve"), self.share("Frank")]
        self.assertIn("share", self.node.ok("custodian", "combine", *shares).out)

        # The old kit: no hand-over, no custody.
        for words in (("recovery", "hand-over", *self.old, "--out", self.node.path("again")),
                      ("recovery", "custody", *self.old)):
            outcome = self.node.run(*words)
            self.assertNotEqual(outcome.code, 0, words)
        self.assertFalse(os.path.exists(self.node.path("again")))
        self.node.ok("recovery", "custody", *new)

        # Work goes on, and the partner learns of it.
        self.node.write("tree/new-letter", "Dear colleague")
        self.node.ok("snapshot", "share")
        self.node.ok("replicate", "--wait")
        self.node.ok("verify", "--read-data")
        self.node.stop()

        # The partner recovers nobody with the old kit.
        _, outcome = self.recover(self.old, "old")
        self.assertEqual(outcome.code, 1)
        self.assertIn("Trumpton does not know this trust by this kit", outcome.err)
        recovered, outcome = self.recover(new, "new")
        self.assertIn(outcome.code, (0, 3), outcome.err)  # 3: it had no people to bring back.
        to = recovered.path("restored")
        recovered.ok("restore", "--latest", "share", "--to", to)
        self.assertEqual(differences(self.tree, to), [])

    def test_each_kit_hands_over_to_the_next(self):
        kit = self.old
        for number in range(2, 6):
            done = self.hand_over(kit, f"kit-{number}")
            self.assertEqual(done.code, 0, done.err)
            self.assertEqual(done.json()["roster"], number)
            kit = self.kit(self.node.path(f"kit-{number}"))
        self.node.ok("replicate", "--wait")
        self.assertEqual(self.hand_over(kit, "kit-5").code, 1)  # A kit is there already.

    def valid(self, kit):
        return self.node.run("recovery", "custody", *kit).code == 0

    def test_killed_anywhere_one_of_the_two_kits_is_valid(self):
        now = self.old
        for fault in range(1, 100):
            done = self.hand_over(now, f"new-{fault}", fault=fault)
            if not was_killed(done):
                break
            folder = self.node.path(f"new-{fault}")
            new = self.kit(folder) if os.path.exists(folder + "/passphrase.txt") else None
            with self.subTest(fault):
                self.assertEqual(self.valid(now) + (new is not None and self.valid(new)), 1)
            if not self.valid(now):
                now = new
            self.node.ok("snapshot", "share")
        self.assertEqual(done.code, 0, done.err)
        self.assertGreater(fault, 3)
        self.node.ok("replicate", "--wait")
        self.node.ok("verify", "--read-data")

    def test_another_trusts_kit_is_refused(self):
        other = Node("Chigley")
        self.addCleanup(other.close)
        outcome = self.hand_over(self.kit(other.home + "/kit"), "new")
        self.assertEqual(outcome.code, 1)
        self.assertIn("the kit is another trust's", outcome.err)
        self.assertFalse(os.path.exists(self.node.path("new")))


if __name__ == "__main__":
    unittest.main()
