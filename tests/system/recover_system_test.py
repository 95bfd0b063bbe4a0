"""An empty machine becomes its trust's node again: the whole story, every kill, every refusal."""
import json
import os
import shutil
import subprocess
import unittest

from node import Node, RunningNode, agree, change_tree, differences, make_tree, pair, was_killed

LETTERS = """name = "letters"
title = "Letters"
opening_keys = "locked"
[[source]]
name = "documents"
kind = "files"
path = "%s"
"""


class Lost:
    """Camberwick Green had a node, two systems, people and custodians; all is gone but the kit."""

    def __init__(self, partners=("Trumpton",)):
        self.hosts = [RunningNode(trust).start() for trust in partners]
        self.old = RunningNode("Camberwick Green").start()
        self.tree = self.old.path("tree")
        make_tree(self.tree, notes=20)
        self.old.ok("system", "add", self.old.write("letters.toml", LETTERS % self.tree))
        for name, role in (("Ada", "approver"), ("Ben", "operator")):
            self.with_key("person", "add", name, "--role", role)
        for name in ("Eve", "Frank"):
            self.with_key("custodian", "add", name)
        self.kit = ["--kit", self.old.home + "/kit/recovery-kit.json",
                    "--passphrase-file", self.old.home + "/kit/passphrase.txt"]
        self.old.ok("recovery", "custody", *self.kit)
        for host in self.hosts:
            pair(host, self.old)
            agree(self.old, host)
        self.old.ok("recovery", "kit")
        self.old.ok("snapshot", "--path", self.tree, "share")
        self.before = self.old.path("before")
        subprocess.run(["cp", "-a", self.tree, self.before], check=True)
        self.old.ok("snapshot", "letters")
        change_tree(self.tree, 1)
        self.old.ok("snapshot", "share")
        for host in self.hosts:
            self.old.ok("papers", host.trust)
        self.old.ok("replicate", "--wait")
        self.snapshots = self.old.ok("snapshots", "--json").json()
        self.old.stop()
        os.rename(self.old.vault, self.old.path("lost-vault"))
        self.new = RunningNode(None)
        self.new.trust = "Camberwick Green"

    def with_key(self, *words):
        file = self.old.write(words[2] + ".pass", "correct horse\n")
        self.old.ok(*words, "--key-file", self.old.path(words[2] + ".key"), "--passphrase-file", file)

    def recover(self, *more, host="Trumpton", fault=None):
        return self.new.run("recover", *self.kit, "--from", host, "--listen", self.new.address,
                            "--address", self.new.address, *more, fault=fault)

    def keep_hosts(self):
        for host in self.hosts:
            host.stop()
            shutil.copytree(host.home, host.path("kept"), symlinks=True)
            host.start()

    def put_hosts_back(self):
        for host in self.hosts:
            host.stop()
            shutil.rmtree(host.home)
            shutil.copytree(host.path("kept"), host.home, symlinks=True)
            host.start()

    def close(self):
        for node in (self.new, self.old, *self.hosts):
            node.close()


class RecoverTest(unittest.TestCase):
    def setUp(self):
        self.lost = Lost()
        self.addCleanup(self.lost.close)
        self.new = self.lost.new

    def restored(self, system):
        to = self.new.path("restored")
        shutil.rmtree(to, ignore_errors=True)
        done = self.new.run("restore", "--latest", system, "--to", to)
        return to, done

    def test_the_machine_is_the_trusts_node_again(self):
        recovered = self.lost.recover("--json")
        self.assertEqual(recovered.code, 0, recovered.err)
        report = recovered.json()
        self.assertEqual(report["revoked"], ["node-1"])
        self.assertEqual(report["partners"], ["Trumpton"])
        self.assertEqual(report["systems"], ["letters", "share"])
        self.assertEqual(report["persons"], 2)
        self.assertEqual(self.new.ok("snapshots", "--json").json(), self.lost.snapshots)
        to, done = self.restored("share")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(differences(self.lost.tree, to), [])
        self.assertIn("Ada", self.new.ok("person", "list").out)
        self.assertIn("Eve", self.new.ok("custodian", "list").out)

        change_tree(self.lost.tree, 2)
        for system in ("share", "letters"):
            self.new.ok("snapshot", system)
        self.new.start()
        self.assertNotIn("UNCONFIRMED", self.new.ok("partner", "list").out)
        self.new.ok("papers", "Trumpton")
        self.new.ok("replicate", "--wait")
        self.new.ok("recovery", "unlock", "--all", *self.lost.kit)
        self.addCleanup(self.new.run, "recovery", "unlock", "--all", "--end")
        newest = self.new.ok("snapshots", "--json").json()
        self.assertEqual(len(newest), 5)
        self.assertEqual(self.new.ok("snapshots", "--from", "Trumpton", "--json").json(), newest)
        self.new.ok("verify", "--read-data")

        os.rename(self.lost.old.path("lost-vault"), self.lost.old.vault)
        self.lost.old.start()  # The old node turns up again: its keys are worth nothing.
        refused = self.lost.old.run("replicate", "--wait")
        self.assertEqual(refused.code, 1)
        self.assertRegex(refused.out, "unknown_peer|stale_roster")

    def test_a_locked_system_is_readable_only_while_it_is_unlocked(self):
        self.assertEqual(self.lost.recover().code, 0)
        self.addCleanup(self.new.run, "recovery", "unlock", "--all", "--end")
        _, locked = self.restored("letters")
        self.assertEqual(locked.code, 1)
        self.assertIn("locked", locked.err)
        shares = []
        for name in ("Eve", "Frank"):
            shares += ["--share", self.new.path(name + ".share")]
            self.new.ok("custodian", "share", "--key-file", self.lost.old.path(name + ".key"), "--out",
                        self.new.path(name + ".share"), "--passphrase-file",
                        self.lost.old.path(name + ".pass"))
        self.assertEqual(self.new.run("recovery", "unlock", "letters", *shares[:2]).code, 1)
        self.new.ok("recovery", "unlock", "letters", *shares)
        to, done = self.restored("letters")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(differences(self.lost.before, to), [])
        self.new.ok("recovery", "unlock", "letters", "--end")
        self.assertEqual(self.restored("letters")[1].code, 1)
        self.assertEqual(self.new.run("recovery", "unlock", "share", *self.lost.kit).code, 1)

    def test_a_kill_at_any_moment_and_then_again(self):
        # The host is put back each time: every point belongs to the same recovery, a trust's first.
        self.lost.keep_hosts()
        point, killed = 0, True
        while killed:
            point += 1
            shutil.rmtree(self.new.home, ignore_errors=True)
            self.lost.put_hosts_back()
            first = self.lost.recover(fault=point)
            killed = was_killed(first)
            if killed:
                first = self.lost.recover()
            self.assertEqual(first.code, 0, f"point {point}: {first.err}")
            verified = self.new.run("verify")
            self.assertEqual(verified.code, 0, f"point {point}: {verified.err}")
            self.assertEqual(self.new.ok("snapshots", "--json").json(), self.lost.snapshots)
        to, done = self.restored("share")
        self.assertEqual(differences(self.lost.tree, to), [])
        print(f"fault points of recover tried: {point - 1}")
        self.assertGreater(point, 20)

    def test_what_the_host_has_lost_is_named_and_the_rest_is_brought(self):
        packs = []
        for at, _, names in os.walk(os.path.join(self.lost.hosts[0].home, "tenants")):
            packs += [os.path.join(at, name) for name in names if "/vault/pack" in at]
        gone = max(packs, key=os.path.getsize)
        os.unlink(gone)
        done = self.lost.recover()
        self.assertEqual(done.code, 1)
        self.assertIn(os.path.basename(gone), done.err)
        self.assertEqual(self.new.ok("snapshots", "--json").json(), self.lost.snapshots)
        self.assertIn(os.path.basename(gone), self.new.run("verify").err)


class RefusalTest(unittest.TestCase):
    def setUp(self):
        self.lost = Lost(partners=("Trumpton", "Chigley"))
        self.addCleanup(self.lost.close)

    def refused(self, outcome, text, code=1):
        self.assertEqual(outcome.code, code, outcome.err)
        self.assertIn(text, outcome.err)
        self.assertFalse(os.path.exists(self.lost.new.home + "/node.toml"))

    def test_each_reason_is_told_and_the_right_way_works_afterwards(self):
        lost, new = self.lost, self.lost.new
        wrong = new.write("wrong.pass", "not the passphrase\n")
        self.refused(new.run("recover", *lost.kit[:2], "--passphrase-file", wrong, "--from", "Trumpton"),
                     "passphrase")
        self.refused(lost.recover(host="Pontypandy"), "it names ")
        stranger = Node("Pontypandy")
        self.addCleanup(stranger.close)
        self.refused(new.run("recover", "--kit", stranger.home + "/kit/recovery-kit.json",
                             "--passphrase-file", stranger.home + "/kit/passphrase.txt", "--from",
                             "Trumpton"), "names no partner")
        with open(stranger.home + "/kit/recovery-kit.json", encoding="utf-8") as file:
            theirs = json.load(file)
        with open(lost.kit[1], encoding="utf-8") as file:
            theirs["partners"] = json.load(file)["partners"]
        other = new.write("other.json", json.dumps(theirs))
        self.refused(new.run("recover", "--kit", other, "--passphrase-file",
                             stranger.home + "/kit/passphrase.txt", "--from", "Trumpton"),
                     "does not know this trust")
        shutil.rmtree(new.home)

        lost.hosts[1].stop()
        self.refused(lost.recover(host="Chigley"), "Chigley at")
        shutil.rmtree(os.path.join(lost.hosts[1].home, "tenants"))
        lost.hosts[1].start()
        self.refused(lost.recover(host="Chigley"), "nothing was ever replicated")
        lost.hosts[1].stop()
        done = lost.recover()  # Goes on where the other host could not; Chigley is away.
        self.assertEqual(done.code, 3, done.err)
        self.assertIn("Chigley", done.err)
        self.assertEqual(new.ok("snapshots", "--json").json(), lost.snapshots)
        again = lost.recover()
        self.assertEqual(again.code, 1)
        self.assertIn("a node already", again.err)


if __name__ == "__main__":
    unittest.main(verbosity=1)
