"""Landing shares: where database servers write their own backups to."""
import os
import select
import subprocess
import unittest

from node import HOLDFAST, PATIENCE_S, Node


@unittest.skipIf(os.geteuid() != 0, "making files immutable and mounting need root")
class LandingTest(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        image = self.node.path("share.img")
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        self.share = self.node.path("share")
        os.mkdir(self.share)
        subprocess.run(["mount", "-o", "loop", image, self.share], check=True)
        self.addCleanup(subprocess.run, ["umount", self.share], check=True)
        os.rmdir(self.share + "/lost+found")

    def add(self, more="", quiet="1s"):
        path = self.node.write("lims.toml", 'name = "lims"\ntitle = "T"\n[[source]]\nkind = "landing"\n'
                               f'path = "{self.share}"\nquiet = "{quiet}"\n{more}\n')
        outcome = self.node.run("system", "add", "--replace", path)
        self.assertEqual(outcome.code, 0, outcome.err)

    def land(self, name, content=b"backup", age_s=0):
        path = os.path.join(self.share, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        then = os.stat(path).st_mtime - age_s
        os.utime(path, (then, then))
        return path

    def states(self):
        outcome = self.node.run("landing", "lims", "--json")
        self.assertIn(outcome.code, (0, 3), outcome.err)
        return {file["path"]: file["state"] for file in outcome.json()[0]["files"]}

    def wait_whole(self, *names):
        self.node.wait_until(lambda: all(self.states().get(name) != "waiting" for name in names))

    def immutable(self, path):
        said = subprocess.run(["lsattr", "-d", path], check=True, capture_output=True, text=True).stdout
        return "i" in said.split()[0]

    def restored(self, which="--latest", *options):
        to = self.node.path(f"restored-{len(os.listdir(self.node.root))}")
        names = [which, "lims"] if which == "--latest" else [which]
        self.node.ok("restore", *names, "--to", to, *options)
        return to

    def test_what_is_whole_is_taken_and_nobody_can_change_it(self):
        self.add()
        full = self.land("db/FULL_1.bak", b"full" * 1000)
        half = open(os.path.join(self.share, "db/LOG_1.trn"), "wb")
        self.addCleanup(half.close)
        half.write(b"half a log")
        half.flush()
        self.wait_whole("db/FULL_1.bak")
        self.assertEqual(self.states(), {"db/FULL_1.bak": "whole", "db/LOG_1.trn": "waiting"})
        self.assertFalse(self.immutable(full))  # To look changes nothing.
        self.node.ok("snapshot", "lims")
        self.assertEqual(os.listdir(self.restored() + "/db"), ["FULL_1.bak"])
        for attempt in (lambda: open(full, "ab"), lambda: os.unlink(full),
                        lambda: os.rename(full, full + ".gone"), lambda: os.truncate(full, 0)):
            self.assertRaises(PermissionError, attempt)
        half.close()
        self.wait_whole("db/LOG_1.trn")
        self.node.ok("snapshot", "lims")
        self.assertEqual(sorted(os.listdir(self.restored() + "/db")), ["FULL_1.bak", "LOG_1.trn"])
        self.assertEqual(self.states(), {"db/FULL_1.bak": "sealed", "db/LOG_1.trn": "sealed"})
        again = self.node.ok("snapshot", "lims", "--json").json()
        self.assertEqual(again["read_bytes"], 0)

    def test_with_markers_a_file_waits_for_its_own(self):
        self.add('marker = ".done"', quiet="1h")
        self.land("a.bak")
        self.land("b.bak")
        self.land("b.bak.done", b"")
        self.node.ok("snapshot", "lims")
        self.assertEqual(sorted(os.listdir(self.restored())), ["b.bak", "b.bak.done"])
        self.assertIn("there is no .done beside it", self.node.run("landing", "lims").out)

    def test_what_is_expected_and_has_not_come_is_a_warning(self):
        self.add('[[source.expect]]\npattern = "FULL_*.bak"\nevery = "26h"\nmegabytes_min = 1\n'
                 '[[source.expect]]\npattern = "*.trn"\nevery = "1h"')
        self.land("FULL_1.bak", bytes(2_000_000), age_s=3 * 86400)
        self.land("FULL_2.bak", b"much too small")
        self.land("a.trn")
        self.wait_whole("FULL_1.bak", "FULL_2.bak", "a.trn")
        outcome = self.node.run("snapshot", "lims")
        self.assertEqual(outcome.code, 3)
        self.assertIn('no whole "FULL_*.bak" of at least 1000000 bytes for 3 days, expected every 26 h; '
                      "the newest is FULL_1.bak", outcome.err)
        self.assertNotIn(".trn", outcome.err)
        self.land("FULL_3.bak", bytes(1_000_000))
        self.wait_whole("FULL_3.bak")
        self.assertEqual(self.node.run("landing", "lims").code, 0)
        self.node.ok("snapshot", "lims")

    def test_old_files_go_once_a_snapshot_has_them(self):
        self.add('keep_for = "2d"')
        old = self.land("old.bak", b"old", age_s=3 * 86400)
        self.land("new.bak", b"new", age_s=86400)
        self.wait_whole("old.bak", "new.bak")
        first = self.node.ok("snapshot", "lims", "--json").json()["id"]
        self.assertTrue(os.path.exists(old))  # No snapshot before had it.
        self.node.ok("snapshot", "lims")
        self.assertFalse(os.path.exists(old))
        self.node.ok("snapshot", "lims")
        self.assertEqual(os.listdir(self.restored()), ["new.bak"])
        with open(self.restored(first) + "/old.bak", "rb") as file:
            self.assertEqual(file.read(), b"old")

    def test_a_link_leads_nowhere(self):
        outside = self.node.path("outside")
        os.mkdir(outside)
        with open(outside + "/passwd", "wb") as file:
            file.write(b"root")
        self.add('keep_for = "1s"')
        os.symlink(outside, self.share + "/folder")
        os.symlink(outside + "/passwd", self.share + "/file")
        self.land("a.bak", age_s=100)
        self.wait_whole("a.bak")
        for _ in range(3):
            self.node.ok("snapshot", "lims")
        self.assertEqual(self.states(), {})
        self.assertEqual(os.listdir(outside), ["passwd"])
        self.assertFalse(self.immutable(outside + "/passwd"))

    def test_without_immutable_files_stay_as_they_are(self):
        self.add("immutable = false")
        path = self.land("a.bak")
        self.wait_whole("a.bak")
        self.node.ok("snapshot", "lims")
        self.assertFalse(self.immutable(path))
        self.assertEqual(os.listdir(self.restored()), ["a.bak"])

    def test_the_watch_seals_as_soon_as_a_file_is_whole(self):
        self.add('marker = ".done"', quiet="1h")
        watch = subprocess.Popen([HOLDFAST, "--home", self.node.home, "landing", "lims", "--watch"],
                                 stdout=subprocess.PIPE, text=True)
        try:
            path = self.land("new/a.bak")
            self.land("new/a.bak.done", b"")
            said = set()
            while "sealed landing/new/a.bak\n" not in said:
                self.assertTrue(select.select([watch.stdout], [], [], PATIENCE_S)[0], said)
                said.add(watch.stdout.readline())
            self.assertTrue(self.immutable(path))
        finally:
            watch.terminate()
            watch.wait()
            watch.stdout.close()

    def test_a_restore_hook_proves_what_was_restored(self):
        hook = self.node.write("verify-bak", '#!/bin/sh\ngrep -q "^good" "$HOLDFAST_FOLDER"/*.bak && exit 0\n'
                               'echo "$HOLDFAST_SYSTEM: not a backup" >&2; exit 4\n')
        os.chmod(hook, 0o755)
        self.add()
        self.land("a.bak", b"good backup")
        self.wait_whole("a.bak")
        self.node.ok("snapshot", "lims")
        outcome = self.node.run("restore", "--latest", "lims", "--to", self.node.path("r1"), "--hook")
        self.assertEqual(outcome.code, 1)
        self.assertIn("has a restore_hook in this node's settings", outcome.err)
        self.add(f'restore_hook = ["{hook}"]')
        outcome = self.node.ok("restore", "--latest", "lims", "--to", self.node.path("r2"), "--hook")
        self.assertIn("proved by restore_hook: landing", outcome.out)
        self.land("a.bak2", b"x")
        os.rename(self.share + "/a.bak2", self.share + "/b.bak")
        subprocess.run(["chattr", "-i", self.share + "/a.bak"], check=True)
        os.unlink(self.share + "/a.bak")
        self.wait_whole("b.bak")
        self.node.ok("snapshot", "lims")
        outcome = self.node.run("restore", "--latest", "lims", "--to", self.node.path("r3"), "--hook")
        self.assertEqual(outcome.code, 1)
        self.assertIn("ended with 4: lims: not a backup", outcome.err)


if __name__ == "__main__":
    unittest.main()
