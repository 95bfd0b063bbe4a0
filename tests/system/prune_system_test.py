"""Prune and forget, as an admin uses them: beside snapshots, killed anywhere, against slips."""
import os
import random
import shutil
import signal
import subprocess
import unittest

from node import HOLDFAST, Node, differences

KEEP = ["--keep", "last=2", "--large"]


def files_read(folder):
    """The files of a folder, each read to its end."""
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            while file.read(1 << 20):
                pass
    return sorted(os.listdir(folder))


class PruneTest(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.tree = self.node.path("tree")
        os.mkdir(self.tree)
        self.random = random.Random(1)

    def fill(self, name, count=300_000):
        with open(os.path.join(self.tree, name), "wb") as file:
            file.write(self.random.randbytes(count))

    def snapshot(self, system="share"):
        return self.node.ok("snapshot", "--path", self.tree, system, "--json").json()["id"]

    def snapshots(self, count):
        """Each has a file that all have and one that no other has."""
        self.fill("shared")
        ids = []
        for _ in range(count):
            self.fill("own")
            ids.append(self.snapshot())
        return ids

    def listed(self):
        return [one["id"] for one in self.node.ok("snapshots", "--json").json()]

    def check_whole(self, *ids):
        self.assertEqual(self.listed(), list(ids))
        self.node.ok("verify", "--read-data")
        self.assertEqual(self.node.rescue("verify").code, 0)

    def stored(self):
        return sum(os.path.getsize(path) for path in self.node.objects("pack"))

    def settings(self, text):
        with open(os.path.join(self.node.home, "systems/share.toml"), "a", encoding="utf-8") as file:
            file.write(text)

    def test_rules_of_the_settings_are_obeyed_and_room_is_made(self):
        ids = self.snapshots(5)
        before = self.stored()
        kept_all = self.node.ok("prune")
        self.assertIn("no [keep] in its settings, so all 5 snapshots are kept", kept_all.out)
        self.assertEqual(self.stored(), before)
        self.settings("\n[keep]\nlast = 2\n")
        told = self.node.ok("prune", "--no-repack", "--dry-run", "--json").json()
        self.assertEqual([one["keep"] for one in told["systems"][0]["snapshots"]],
                         [False] * 3 + [True] * 2)
        self.assertEqual((self.listed(), self.stored()), (ids, before))
        done = self.node.ok("prune", "--no-repack", "--json").json()
        self.assertIsNone(done["repacked"])
        for field in ("needed", "erased", "waiting", "lists"):
            self.assertEqual(done[field], told[field])
        self.assertEqual(before - self.stored(), done["erased"]["bytes"])
        self.assertGreaterEqual(done["erased"]["packs"], 2)
        self.check_whole(*ids[3:])
        again = self.node.ok("prune", "--no-repack", "--json").json()
        self.assertEqual(again["erased"]["packs"], 0)

    def test_sparse_packs_are_repacked_and_read_back_by_everybody(self):
        for number in range(6):
            self.fill("own", 400_000)
            self.fill(f"kept{number}", 30_000)
            self.snapshot()
        before = self.stored()
        told = self.node.ok("prune", *KEEP, "--dry-run", "--json").json()
        done = self.node.ok("prune", *KEEP, "--json").json()
        self.assertGreaterEqual(done["repacked"]["old"]["packs"], 4)
        self.assertEqual(done["repacked"]["old"], told["repacked"]["old"])
        self.assertEqual(done["erased"], told["erased"])
        self.assertEqual(done["repacked"]["snapshots"], 2)
        self.assertLess(self.stored(), before / 2)
        ids = self.listed()
        self.check_whole(*ids)
        to, rescued = self.node.path("to"), self.node.path("rescued")
        self.node.ok("restore", ids[1], "--to", to)
        self.assertEqual(differences(self.tree, to), [])
        self.assertEqual(self.node.rescue("restore", ids[1], "--to", rescued).code, 0)
        self.assertEqual(differences(self.tree, rescued), [])
        again = self.node.ok("prune", *KEEP, "--json").json()
        self.assertEqual(again["repacked"]["old"]["packs"], 0)
        os.unlink(os.path.join(self.node.home, "state/index.db"))
        self.node.ok("verify", "--read-data")
        self.assertEqual(self.node.ok("snapshot", "share", "--json").json()["new_bytes"], 0)

    def test_a_locked_system_is_pruned_and_repacked_without_its_key(self):
        self.node.write("locked.toml", f"""
name = "locked"
title = "Locked"
opening_keys = "locked"
[keep]
last = 1
[[source]]
kind = "files"
path = "{self.tree}"
""")
        self.node.ok("system", "add", self.node.path("locked.toml"))
        for number in range(5):
            self.fill("own", 4_000_000)
            self.fill(f"kept{number}", 900_000)  # Small files are stored together, and so anew.
            self.node.ok("snapshot", "locked")
        before = self.stored()
        done = self.node.ok("prune", "--json").json()
        self.assertEqual(done["systems"][0]["kept"], 1)
        self.assertGreaterEqual(done["repacked"]["old"]["packs"], 3)
        self.assertLess(self.stored(), before / 2)
        rescued = self.node.path("rescued")
        self.assertEqual(self.node.rescue("restore", "--latest", "locked", "--to", rescued).code, 0)
        self.assertEqual(differences(self.tree, rescued), [])
        self.node.ok("snapshot", "locked")
        self.assertEqual(self.node.rescue("verify").code, 0)

    def test_what_is_kept_comes_back_and_what_is_not_is_named(self):
        ids = self.snapshots(3)
        self.node.ok("prune", *KEEP)
        to = self.node.path("to")
        self.node.ok("restore", ids[2], "--to", to)
        self.assertEqual(differences(self.tree, to), [])
        gone = self.node.run("restore", ids[0], "--to", self.node.path("other"))
        self.assertEqual(gone.code, 1)
        self.assertIn("no snapshot", gone.err)

    def test_every_fault_point_of_a_prune(self):
        self.snapshots(4)
        other = self.node.path("other-home")
        shutil.copytree(self.node.home, other)
        points, killed = 0, True
        while killed:
            points += 1
            shutil.rmtree(self.node.home)
            shutil.copytree(other, self.node.home)
            outcome = self.node.run("prune", *KEEP, fault=points)
            killed = outcome.code == -signal.SIGKILL
            after = self.listed()
            self.assertIn(len(after), (2, 4))
            self.node.ok("verify", "--read-data")
            self.fill("own")
            newest = self.snapshot()
            self.node.ok("prune", *KEEP)
            self.check_whole(after[-1], newest)
            needed = self.node.ok("stats", "--json").json()["all"]
            # What was not renamed yet is swept when it is a day old.
            whole = [name for name in self.node.objects("pack") if ".tmp-" not in name]
            self.assertEqual(needed["packs"], len(whole), points)
        print(f"fault points of prune tried: {points - 1}")
        self.assertGreater(points, 5)

    def test_a_snapshot_that_stops_under_a_prune_ends_whole(self):
        """At each of its steps a snapshot is stopped, the vault is pruned, and it goes on."""
        self.fill("shared")
        self.fill("once")
        self.snapshot()
        with open(os.path.join(self.tree, "once"), "rb") as file:
            once = file.read()
        points, stopped, waited = 0, True, 0
        while stopped:
            points += 1
            os.unlink(os.path.join(self.tree, "once"))
            self.fill("own")
            self.snapshot()
            with open(os.path.join(self.tree, "once"), "wb") as file:
                file.write(once)  # It is in the vault, in a snapshot that is forgotten soon.
            snapshot = subprocess.Popen(
                [HOLDFAST, "--home", self.node.home, "snapshot", "--path", self.tree, "share"],
                env={**os.environ, "HOLDFAST_FAULT": f"stop:{points}"}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status = os.waitpid(snapshot.pid, os.WUNTRACED)
            stopped = os.WIFSTOPPED(status)
            prune = subprocess.Popen(
                [HOLDFAST, "--home", self.node.home, "prune", "--keep", "last=1", "--large"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            try:
                prune.wait(1)
            except subprocess.TimeoutExpired:
                waited += 1  # For the commit that the snapshot was stopped in.
            if stopped:
                os.kill(snapshot.pid, signal.SIGCONT)
                _, status = os.waitpid(snapshot.pid, 0)
            snapshot.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual((snapshot.returncode, prune.wait(60)), (0, 0), points)
            self.node.ok("verify", "--read-data")
            self.node.ok("prune", "--keep", "last=1", "--large")
            self.node.ok("verify", "--read-data")
        print(f"steps of a snapshot under which the vault was pruned: {points - 1}, {waited} of them "
              "within its commit")
        self.assertGreater(points, 4)
        self.assertLess(waited, points - 1)

    def test_a_slip_in_the_rules_costs_nothing(self):
        ids = self.snapshots(2)
        self.settings("\n[keep]\ndayly = 7\n")
        outcome = self.node.run("prune")
        self.assertEqual(outcome.code, 3)
        self.assertIn('did you mean "daily"', outcome.err)
        self.assertEqual(self.listed(), ids)
        for wrong in (["--keep", "daily=0"], ["--keep", "dayly=3"], ["--every", "5m"],
                      ["--simulate"], ["--simulate", "--keep", "last=1", "--every", "1s"]):
            self.assertEqual(self.node.run("prune", *wrong).code, 2, wrong)
        self.assertEqual(self.node.run("prune", "nosuch").code, 1)
        self.assertEqual(self.listed(), ids)

    def test_single_snapshots_are_forgotten_all_or_none(self):
        ids = self.snapshots(4)
        for wrong in ([ids[0], "0000beef"], [ids[0], ids[3]], [ids[0][:3]]):
            self.assertNotEqual(self.node.run("forget", *wrong).code, 0)
            self.assertEqual(self.listed(), ids)
        self.node.ok("forget", ids[1][:12], ids[0], ids[0])
        self.assertEqual(self.listed(), ids[2:])
        self.assertIn("is the newest of share", self.node.run("forget", ids[3]).err)
        self.node.ok("forget", ids[3], "--newest")
        self.node.ok("prune")
        self.check_whole(ids[2])

    def test_a_damaged_vault_is_not_pruned_unless_somebody_gives_up(self):
        ids = self.snapshots(3)
        entries = self.node.objects("ledger")
        with open(entries[2], "r+b") as file:
            file.write(b"\0" * 10)
        before = self.stored()
        refused = self.node.run("prune", *KEEP)
        self.assertEqual(refused.code, 1)
        self.assertIn("--despite-damage", refused.err)
        self.assertEqual(self.stored(), before)
        self.node.ok("prune", "--despite-damage")
        self.assertLess(self.stored(), before)
        self.assertEqual(self.listed(), ids[:1])

    @unittest.skipIf(os.geteuid() != 0, "mounting needs root")
    def test_what_is_mounted_stays(self):
        ids = self.snapshots(3)
        place = self.node.path("place")
        self.node.ok("mount", ids[0], place)
        self.addCleanup(self.node.run, "unmount", place)
        told = self.node.ok("prune", *KEEP, "--json").json()
        self.assertEqual(told["systems"][0]["snapshots"][0]["why"], ["mounted"])
        self.assertIn("mounted", self.node.run("forget", ids[0]).err)
        self.assertEqual(files_read(place), ["own", "shared"])
        self.node.ok("unmount", place)
        self.node.ok("prune", *KEEP)
        self.check_whole(*ids[1:])

    @unittest.skipIf(os.geteuid() != 0, "a small file system needs root")
    def test_a_full_disk_is_made_room_on(self):
        ids = self.snapshots(3)
        place = self.node.path("small")
        os.mkdir(place)
        size = self.stored() + 20_000_000  # One pack of the next snapshot fits, and stays.
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        shutil.copytree(self.node.vault, place, dirs_exist_ok=True)
        subprocess.run(["mount", "--bind", place, self.node.vault], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.node.vault], check=True)
        for number in range(6):
            self.fill(f"much{number}", 5_000_000)
        full = self.node.run("snapshot", "share")
        self.assertEqual(full.code, 1, full.err)
        with self.assertRaises(OSError):  # Not a byte is left.
            with open(os.path.join(place, "ballast"), "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        outcome = self.node.run("prune", *KEEP)
        self.assertEqual(self.listed(), ids[1:], outcome.err)
        self.node.ok("verify", "--read-data")
        for number in range(6):
            os.unlink(os.path.join(self.tree, f"much{number}"))
        self.node.ok("snapshot", "share")

    def test_a_year_is_simulated_without_a_vault_to_prune(self):
        told = self.node.ok("prune", "--simulate", "--every", "5m", "--keep", "hourly=24", "--keep",
                            "daily=30", "--json").json()
        self.assertEqual(told["taken"], 365 * 288 + 1)
        for rule, count in (("hourly", 24), ("daily", 30)):
            self.assertEqual(sum(rule in one["why"] for one in told["kept"]), count)
        self.snapshots(1)
        self.settings("\n[keep]\nwithin = \"2h\"\n")
        self.assertEqual(self.node.ok("prune", "share", "--simulate", "--json").json()["rules"],
                         "within 2h")


if __name__ == "__main__":
    unittest.main()
