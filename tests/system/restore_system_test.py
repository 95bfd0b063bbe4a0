"""restore: into new folders and folders in use, in part, in place, killed and resumed."""
import os
import shutil
import signal
import stat
import subprocess
import unittest

from node import HOLDFAST, change_tree, differences, make_tree, was_killed
from tree_case import TreeCase


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content, mtime=None):
    with open(path, "wb") as file:
        file.write(content)
    if mtime is not None:
        os.utime(path, (mtime, mtime))


def same_but_links(a, b):
    """The differences but for link counts: a name in the history is one name."""
    return [one for one in differences(a, b) if not one.endswith("st_nlink")]


class RestoreCase(TreeCase):
    def fewer_files(self):
        """Each costs a kill and two restores."""
        shutil.rmtree(self.tree)
        make_tree(self.tree, notes=41)


class NewFolderTest(RestoreCase):
    def test_a_folder_with_something_in_it_is_not_restored_into(self):
        self.snapshot()
        outcome = self.node.run("restore", "--latest", "share", "--to", self.tree)
        self.assertEqual(outcome.code, 1)
        self.assertIn("not empty", outcome.err)
        self.assertEqual(differences(self.tree, self.restored("--latest", "share")), [])

    def test_part_of_a_snapshot_is_restored(self):
        self.snapshot()
        to = self.restored("--latest", "share", "--include", "share/001/*")
        found = sorted(os.listdir(to + "/share/001"))
        self.assertEqual(found, sorted(os.listdir(self.tree + "/share/001")))
        self.assertEqual(os.listdir(to), ["share"])
        missing = self.node.run("restore", "--latest", "share", "--include", "nothing-like-it",
                                "--to", self.node.path("none"))
        self.assertEqual(missing.code, 1)

    @unittest.skipIf(os.geteuid() != 0, "giving files away needs root")
    def test_restored_paths_belong_to_whom_the_admin_says(self):
        with open(os.path.join(self.tree, "letter"), "wb") as file:
            file.write(b"Dear colleague")
        os.chown(os.path.join(self.tree, "letter"), 4321, 1234)
        self.snapshot()
        for number, (options, expected) in enumerate((
                ([], (4321, 1234)), (["--map-user", "4321=daemon"], (1, 1234)),
                (["--map-group", "1234=77", "--map-user", "0=5"], (4321, 77)),
                (["--owner", "daemon:sys"], (1, 3)))):
            to = self.node.path(f"owned-{number}")
            self.node.ok("restore", "--latest", "share", "--to", to, *options)
            found = os.lstat(os.path.join(to, "letter"))
            self.assertEqual((found.st_uid, found.st_gid), expected, options)
        wrong = self.node.run("restore", "--latest", "share", "--to", self.node.path("none"),
                              "--owner", "nobody-of-this-name")
        self.assertEqual(wrong.code, 2)
        self.assertFalse(os.path.exists(self.node.path("none")))

    def test_a_dry_run_says_what_the_restore_then_does(self):
        os.link(self.tree + "/share/000/note-0.txt", self.tree + "/share/001/also")
        self.snapshot()
        for more in ((), ("--include", "zz*"), ("--include", "share/001"), ("--include", "sparse")):
            to = self.node.path("restored")
            shutil.rmtree(to, ignore_errors=True)
            said = self.good("restore", "--latest", "share", "--to", to, "--dry-run", "--json",
                             *more).json()
            self.assertFalse(os.path.exists(to))
            done = self.good("restore", "--latest", "share", "--to", to, "--json", *more).json()
            for what in ("snapshot", "entries", "bytes"):
                self.assertEqual(said[what], done[what], (what, more))
            files = {os.lstat(os.path.join(at, name)).st_ino for at, _, names in os.walk(to)
                     for name in names if not os.path.islink(os.path.join(at, name))}
            self.assertEqual(said["files"], len(files), more)
            self.assertTrue(0 < said["data_bytes"] <= said["bytes"], more)
            disk = os.statvfs(self.node.root)
            self.assertLess(abs(said["free_bytes"] - disk.f_bavail * disk.f_frsize), 1 << 28)
        self.assertEqual((said["bytes"], said["data_bytes"] < 1 << 20), ((3 << 20) + 3, True))
        full = self.node.run("restore", "--latest", "share", "--to", to, "--dry-run")
        self.assertEqual((full.code, full.out), (1, ""))
        self.assertIn("is not empty", full.err)
        none = self.node.run("restore", "--latest", "share", "--to", to + "2", "--dry-run",
                             "--include", "nothing")
        self.assertEqual(none.code, 1)
        self.assertIn("no path of the snapshot matches", none.err)

    @unittest.skipUnless(os.geteuid() == 0, "needs root for a small file system")
    def test_a_dry_run_says_what_does_not_fit(self):
        self.snapshot()
        small = self.node.path("small")
        os.makedirs(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        outcome = self.node.run("restore", "--latest", "share", "--to", small + "/a/b", "--dry-run")
        self.assertEqual(outcome.code, 1)
        self.assertRegex(outcome.err, r"small/a/b needs .*, but has .* free")
        self.assertEqual(os.listdir(small), [])


class ResumeTest(RestoreCase):
    def restore_to(self, to, *more, fault=None):
        return self.node.run("restore", "--latest", "share", "--to", to, *more, fault=fault)

    def test_a_restore_that_was_killed_anywhere_goes_on(self):
        self.fewer_files()
        self.snapshot()
        killed = 0
        while True:
            to = self.node.path("restored")
            shutil.rmtree(to, ignore_errors=True)
            outcome = self.restore_to(to, fault=killed + 1)
            if not was_killed(outcome):
                break
            killed += 1
            if not os.path.exists(os.path.join(to, ".holdfast-restore-unfinished")):
                self.assertEqual([n for n in os.listdir(to) if ".tmp-" not in n], [])
                continue  # Before there was a mark, nothing was restored.
            again = self.restore_to(to)
            self.assertEqual(again.code, 1)
            self.assertIn("--resume", again.err)
            resumed = self.restore_to(to, "--resume")
            self.assertEqual(resumed.code, 0, resumed.err)
            self.assertEqual(differences(self.tree, to), [], killed)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertGreater(killed, 40)
        print(f"restore killed at {killed} points")

    def test_what_was_finished_stays_and_after_a_restart_is_written_anew(self):
        self.snapshot()
        to = self.node.path("restored")
        self.assertTrue(was_killed(self.restore_to(to, fault=40)))
        done = [os.path.join(at, name) for at, _, names in os.walk(to) for name in names
                if name.startswith("note-")]
        before = {path: os.lstat(path).st_ino for path in done}
        mark = os.path.join(to, ".holdfast-restore-unfinished")
        after = self.node.path("after")
        subprocess.run(["cp", "-a", to, after], check=True)
        first = self.good("restore", "--latest", "share", "--to", to, "--resume", "--json").json()
        self.assertGreater(first["kept"], 10)
        self.assertGreater(sum(os.lstat(path).st_ino == inode for path, inode in before.items()), 10)
        # As if the machine had lost power since: what looks finished may hold nothing.
        text = read(os.path.join(after, os.path.basename(mark))).decode()
        write(os.path.join(after, os.path.basename(mark)),
              (text.split()[0] + " 01234567-89ab-cdef-0123-456789abcdef\n").encode())
        hollow = os.path.join(after, os.path.relpath(done[0], to))
        about = os.lstat(hollow)
        write(hollow, bytes(about.st_size))
        os.utime(hollow, ns=(about.st_atime_ns, about.st_mtime_ns))
        second = self.good("restore", "--latest", "share", "--to", after, "--resume",
                           "--json").json()
        self.assertEqual(second["kept"], 0)
        for folder in (to, after):
            self.assertEqual(differences(self.tree, folder), [])

    def test_only_the_same_snapshot_is_resumed(self):
        first = self.snapshot()["id"]
        write(os.path.join(self.tree, "more"), b"more")
        self.snapshot()
        to = self.node.path("restored")
        self.assertTrue(was_killed(self.restore_to(to, fault=20)))
        other = self.node.run("restore", first, "--to", to, "--resume")
        self.assertEqual(other.code, 1)
        self.assertIn("another snapshot", other.err)
        none = self.restore_to(self.node.path("nothing"), "--resume")
        self.assertEqual(none.code, 1)
        self.assertIn("no restore that did not end", none.err)
        self.assertEqual(self.restore_to(to, "--resume").code, 0)
        self.assertEqual(differences(self.tree, to), [])


class InPlaceTest(RestoreCase):
    def in_place(self, *more, fault=None):
        return self.node.run("restore", "--latest", "share", "--in-place", *more, fault=fault)

    def spoil(self):
        """What a bad day does to a share: files altered, gone, and of another kind."""
        share = os.path.join(self.tree, "share")
        write(os.path.join(share, "000/note-1.txt"), b"encrypted by somebody")
        os.remove(os.path.join(share, "001/note-21.txt"))
        os.remove(os.path.join(self.tree, "link"))
        write(os.path.join(self.tree, "link"), b"a file now")
        shutil.rmtree(os.path.join(share, "002"))
        write(os.path.join(share, "002"), b"no folder")
        os.chmod(os.path.join(share, "000/note-2.txt"), 0o600)
        os.remove(os.path.join(self.tree, "zz-second-name"))

    def copy(self):
        before = self.node.path("before")
        subprocess.run(["cp", "-a", self.tree, before], check=True)
        return before

    def test_a_spoilt_share_is_as_it_was(self):
        self.snapshot()
        before = self.copy()
        self.spoil()
        untouched = os.lstat(os.path.join(self.tree, "share/000/note-0.txt")).st_ino
        said = self.good("restore", "--latest", "share", "--in-place", "--dry-run", "--json").json()
        self.assertEqual(said["places"], [self.tree])
        self.assertEqual(said["replaced"], 3)
        done = self.good("restore", "--latest", "share", "--in-place", "--json").json()
        self.assertEqual(done["kept"], said["kept"])
        self.assertEqual(differences(before, self.tree), [])
        self.assertEqual(os.lstat(os.path.join(self.tree, "share/000/note-0.txt")).st_ino, untouched)
        self.assertEqual(self.in_place().code, 0)
        self.assertEqual(differences(before, self.tree), [])

    def test_what_the_snapshot_does_not_have_stays(self):
        self.snapshot()
        new = os.path.join(self.tree, "share/000/new")
        write(new, b"since then")
        self.assertEqual(self.in_place("--overwrite", "always").code, 0)
        self.assertEqual(read(new), b"since then")

    def test_a_part_in_place_leaves_the_rest_as_it_is(self):
        self.snapshot()
        self.spoil()
        share = os.path.join(self.tree, "share")
        os.chmod(share, 0o711)
        outcome = self.in_place("--include", "share/000/note-1.txt")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertNotEqual(read(os.path.join(share, "000/note-1.txt")), b"encrypted by somebody")
        self.assertEqual(stat.S_IMODE(os.lstat(share).st_mode), 0o711)
        self.assertFalse(os.path.exists(os.path.join(share, "001/note-21.txt")))

    def test_a_kill_anywhere_leaves_each_file_old_or_new(self):
        self.fewer_files()
        self.snapshot()
        before = self.copy()
        name = os.path.join("share/000/note-1.txt")
        killed = 0
        while True:
            self.spoil()
            outcome = self.in_place("--overwrite", "always", fault=killed + 1)
            if not was_killed(outcome):
                break
            killed += 1
            self.assertIn(read(os.path.join(self.tree, name)),
                          (b"encrypted by somebody", read(os.path.join(before, name))))
            again = self.in_place("--overwrite", "always")
            self.assertEqual(again.code, 0, again.err)
            self.assertEqual(differences(before, self.tree), [], killed)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertGreater(killed, 40)
        print(f"restore in place killed at {killed} points")

    def test_who_overwrites_says_when(self):
        name = os.path.join(self.tree, "letter")
        write(name, b"of the snapshot", 1_700_000_000)
        self.snapshot()
        for policy, mtime, expected in (
                ("never", 1_600_000_000, b"other"), ("if-older", 1_600_000_000, b"of the snapshot"),
                ("if-older", 1_800_000_000, b"other"), ("if-older", 1_700_000_000, b"other"),
                ("if-changed", 1_600_000_000, b"of the snapshot"),
                ("if-changed", 1_700_000_000, b"of the snapshot"),
                ("always", 1_700_000_000, b"of the snapshot")):
            write(name, b"other", mtime)
            outcome = self.in_place("--overwrite", policy, "--include", "letter")
            self.assertEqual(outcome.code, 0, outcome.err)
            self.assertEqual(read(name), expected, (policy, mtime))
        same = b"OF THE SNAPSHOT"
        write(name, same, 1_700_000_000)
        self.assertEqual(self.in_place("--include", "letter").code, 0)
        self.assertEqual(read(name), same)  # Its size and time are the snapshot's.

    def test_a_folder_in_use_takes_a_snapshot_in(self):
        self.snapshot()
        to = self.node.path("other")
        os.makedirs(to + "/share")
        write(to + "/own", b"own")
        outcome = self.node.run("restore", "--latest", "share", "--to", to, "--overwrite", "never")
        self.assertEqual(outcome.code, 0, outcome.err)
        os.remove(to + "/own")
        self.assertEqual([d for d in differences(self.tree, to) if "'share'" not in d], [])

    def test_words_that_contradict_each_other_are_refused(self):
        self.snapshot()
        for words in (["--to", "/tmp/x", "--in-place"], ["--in-place", "--resume"], [],
                      ["--to", "/tmp/x", "--resume", "--overwrite", "never"]):
            outcome = self.node.run("restore", "--latest", "share", *words)
            self.assertEqual(outcome.code, 2, (words, outcome.err))
        wrong = self.in_place("--overwrite", "sometimes")
        self.assertEqual(wrong.code, 2)
        self.assertIn("if-changed", wrong.err)

    def test_only_files_go_back_in_place(self):
        system = os.path.join(self.node.home, "systems/registry.toml")
        write(system, b'name = "registry"\ntitle = "Registry"\n[[source]]\nkind = "command"\n'
                      b'command = ["/bin/echo", "row"]\n')
        self.good("snapshot", "registry")
        outcome = self.node.run("restore", "--latest", "registry", "--in-place")
        self.assertEqual(outcome.code, 2)
        self.assertIn("only files can be restored in place", outcome.err)


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/dev/fuse"), "needs root and /dev/fuse")
class HistoryTest(RestoreCase):
    def mount(self, *more):
        place = self.node.path("history")
        process = subprocess.Popen([HOLDFAST, "--home", self.node.home, "mount", "--all", place,
                                    *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process, place)
        said = process.stdout.readline().decode()  # It is mounted then.
        self.assertIn(place, said)
        return process, place

    def end(self, process, place):
        if process.poll() is None:
            subprocess.run(["umount", "-l", place], check=False)
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def dates(self, place, system="share"):
        return sorted(name for name in os.listdir(os.path.join(place, system)) if name != "latest")

    def test_all_snapshots_are_folders_by_date(self):
        self.snapshot()
        before = self.node.path("before")
        subprocess.run(["cp", "-a", self.tree, before], check=True)
        change_tree(self.tree, 3)
        self.snapshot()
        process, place = self.mount()
        self.assertEqual(os.listdir(place), ["share"])
        first, second = self.dates(place)
        self.assertRegex(first, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
        self.assertEqual(os.readlink(os.path.join(place, "share/latest")), second)
        self.assertEqual(same_but_links(before, os.path.join(place, "share", first)), [])
        self.assertEqual(same_but_links(self.tree, os.path.join(place, "share/latest/")), [])
        with self.assertRaises(OSError):
            write(os.path.join(place, "share/latest/new"), b"x")
        self.good("unmount", place)
        self.assertEqual(process.wait(), 0)
        self.assertEqual(os.listdir(place), [])

    def test_what_comes_appears_and_what_is_forgotten_goes(self):
        first = self.snapshot()["id"]
        process, place = self.mount("--json")
        self.assertEqual(len(self.dates(place)), 1)
        write(os.path.join(self.tree, "more"), b"more")
        self.snapshot()
        self.node.wait_until(lambda: len(self.dates(place)) == 2)
        self.good("forget", first)
        self.node.wait_until(lambda: len(self.dates(place)) == 1)
        self.good("prune")  # What is looked at is not erased.
        self.assertEqual(read(os.path.join(place, "share/latest/more")), b"more")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), 0)

    def test_several_sources_have_folders_and_a_locked_one_says_so(self):
        for name, mode in (("two", "node"), ("sealed", "locked")):
            with open(os.path.join(self.node.home, f"systems/{name}.toml"), "w") as file:
                file.write(f'name = "{name}"\ntitle = "{name}"\nopening_keys = "{mode}"\n'
                           f'[[source]]\nname = "tree"\nkind = "files"\npath = "{self.tree}"\n'
                           '[[source]]\nname = "words"\nkind = "command"\n'
                           'command = ["/bin/echo", "row"]\n')
            self.good("snapshot", name)
        process, place = self.mount()
        latest = os.path.join(place, "two/latest/")
        self.assertEqual(sorted(os.listdir(latest)), ["tree", "words"])
        self.assertEqual(read(latest + "words/output"), b"row\n")
        self.assertEqual(same_but_links(self.tree, latest + "tree"), [])
        with self.assertRaises(PermissionError):
            os.listdir(os.path.join(place, "sealed/latest/"))
        process.terminate()
        self.assertEqual(process.wait(), 0)
        self.assertIn("locked", process.stderr.read().decode())

    def test_only_an_empty_folder_is_mounted_on(self):
        self.snapshot()
        outcome = self.node.run("mount", "--all", self.tree)
        self.assertEqual(outcome.code, 1)
        self.assertIn("is not empty", outcome.err)
        for words in (["--all"], ["--all", "--writable", "/mnt"], ["--from", "X", "/mnt"]):
            self.assertEqual(self.node.run("mount", *words).code, 2, words)
        none = self.node.run("unmount", self.node.path("nowhere"))
        self.assertEqual(none.code, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
