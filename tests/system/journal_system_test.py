"""The change journal: snapshots that look only at what the kernel told, against the whole truth."""
import ctypes
import mmap
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
import unittest

from node import HOLDFAST, Node, differences, make_tree

QUEUE = "/proc/sys/fs/fanotify/max_queued_events"


def quiet(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class JournalTest(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.journal = None
        self.addCleanup(self.stop)

    def mount(self, kind="ext4", at="disk"):
        image = self.node.path(at + ".img")
        with open(image, "wb") as file:
            file.truncate(400 << 20)
        quiet("mkfs." + kind, "-q", image)
        disk = self.node.path(at)
        os.mkdir(disk)
        quiet("mount", "-o", "loop", image, disk)
        self.addCleanup(self.unmount, disk)
        return disk

    def unmount(self, disk):
        self.stop()
        quiet("umount", disk)

    def system(self, folder, more=""):
        text = (f'name = "pacs"\ntitle = "T"\n[[source]]\nkind = "files"\npath = "{folder}"\n'
                f'journal = true\n{more}\n')
        path = self.node.write("pacs.toml", text)
        return self.node.run("system", "add", path)

    def start(self):
        """Returns once it watches and listens."""
        self.journal = subprocess.Popen([HOLDFAST, "--home", self.node.home, "journal", "pacs"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertIn("watches", self.journal.stdout.readline())
        self.node.wait_until(lambda: os.path.exists(self.socket_path()) and self.listens())

    def socket_path(self):
        return self.node.home + "/run/journal-pacs.sock"

    def listens(self):
        with socket.socket(socket.AF_UNIX) as one:
            return one.connect_ex(self.socket_path()) == 0

    def stop(self):
        if self.journal is not None:
            self.journal.terminate()
            self.journal.communicate()
            self.journal = None

    def begin(self, kind="ext4", more=""):
        """A tree with a first snapshot and a journal that has seen all since."""
        disk = self.mount(kind)
        self.tree = disk + "/tree"
        os.mkdir(self.tree)
        self.assertEqual(self.system(self.tree, more).code, 0)
        self.start()

    def snapshot(self, *options, code=0):
        done = self.node.run("snapshot", "pacs", "--json", *options)
        self.assertEqual(done.code, code, done.out + done.err)
        return done.json()

    def used(self, **wanted):
        """A snapshot that the journal told of, which is as the tree is."""
        taken = self.snapshot()
        told = taken["journals"][0]
        self.assertTrue(told["used"], told)
        for key, value in wanted.items():
            self.assertEqual(told[key], value, told)
        return taken

    def whole(self, reason, **options):
        taken = self.snapshot(**options)
        told = taken["journals"][0]
        self.assertFalse(told["used"], told)
        self.assertIn(reason, told["whole"])
        return taken

    def assert_true(self):
        """What a reader of everything finds is what the last snapshot has: not a byte is new."""
        to = self.node.path("restored")
        shutil.rmtree(to, ignore_errors=True)
        self.node.ok("restore", "--latest", "pacs", "--to", to)
        self.assertEqual(differences(self.tree, to), [])
        last = self.node.ok("snapshots", "pacs", "--json").json()[-1]
        whole = self.snapshot("--read-all")
        self.assertEqual((whole["entries"], whole["bytes"]), (last["entries"], last["bytes"]))
        changed = self.node.ok("diff", last["id"], whole["id"], "--metadata", "--json").json()
        self.assertEqual(changed, [])

    def write(self, name, text="text", mode="w"):
        path = os.path.join(self.tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
        return path

    def test_every_kind_of_change_on_ext4_is_seen(self):
        self.each_kind_of_change("ext4")

    def test_every_kind_of_change_on_xfs_is_seen(self):
        self.each_kind_of_change("xfs")

    def each_kind_of_change(self, kind):
        self.begin(kind)
        self.snapshot()
        for number in range(300):
            self.write(f"studies/{number % 10}/{number}", f"image {number} " * 300)
        self.write("a/b/c/deep", "x")
        self.write("a.b", "between a and a/b in bytes, not in path order")
        os.symlink("a.b", self.tree + "/link")
        self.used()
        self.used(changes=0)
        self.assert_true()

        tree = self.tree
        changes = {
            "new file": lambda: self.write("studies/3/new"),
            "content": lambda: self.write("studies/4/14", "other"),
            "appended": lambda: self.write("studies/4/24", "more", "a"),
            "gone": lambda: os.unlink(tree + "/studies/5/25"),
            "renamed": lambda: os.rename(tree + "/studies/5/35", tree + "/studies/5/a35"),
            "over another": lambda: os.rename(tree + "/studies/5/45", tree + "/studies/5/55"),
            "folder renamed": lambda: os.rename(tree + "/a", tree + "/z"),
            "folder into folder": lambda: os.rename(tree + "/studies/7", tree + "/z/7"),
            "folder with all gone": lambda: shutil.rmtree(tree + "/studies/8"),
            "folder out": lambda: os.rename(tree + "/studies/6", tree + "/../6"),
            "folder in": lambda: os.rename(tree + "/../6", tree + "/studies/back"),
            "mode": lambda: os.chmod(tree + "/studies/1/11", 0o751),
            "owner": lambda: os.chown(tree + "/studies/1/21", 77, 78),
            "times": lambda: os.utime(tree + "/studies/1/31", (1, 2)),
            "xattr": lambda: os.setxattr(tree + "/studies/1/41", "user.note", b"seen"),
            "xattr of a folder": lambda: os.setxattr(tree + "/studies/1", "user.note", b"seen"),
            "the folder itself": lambda: os.chmod(tree, 0o750),
            "truncated": lambda: os.truncate(tree + "/studies/2/12", 5),
            "file becomes folder": lambda: (os.unlink(tree + "/a.b"), self.write("a.b/in")),
            "folder becomes file": lambda: (shutil.rmtree(tree + "/a.b"), self.write("a.b")),
            "link": lambda: (os.unlink(tree + "/link"), os.symlink("z", tree + "/link")),
            "fifo": lambda: os.mkfifo(tree + "/fifo"),
            "name that is no UTF-8": lambda: self.write_bytes(b"\xff\xfe", b"latin"),
            "sparse": lambda: self.sparse("sparse"),
            "nothing": lambda: None,
        }
        for what, change in changes.items():
            with self.subTest(kind + ": " + what):
                change()
                self.used()
                self.assert_true()

    def write_bytes(self, name, content):
        with open(os.fsencode(self.tree) + b"/" + name, "wb") as file:
            file.write(content)

    def sparse(self, name):
        with open(self.tree + "/" + name, "wb") as file:
            file.truncate(50 << 20)
            file.seek(20 << 20)
            file.write(b"middle")

    def test_what_is_written_unseen_until_it_is_closed_is_seen(self):
        self.begin()
        path = self.write("mapped", "x" * 8192)
        self.write("other")
        self.snapshot()
        with open(path, "r+b") as file:
            mapped = mmap.mmap(file.fileno(), 0)
        self.used()
        mapped[100:105] = b"12345"
        mapped.flush()
        self.used(changes=1)
        self.assert_true()
        mapped[200:205] = b"67890"
        mapped.close()
        self.used()
        self.assert_true()

    def test_a_mapping_without_a_descriptor_is_seen(self):
        self.begin()
        path = self.write("mapped", "x" * 8192)
        self.snapshot()
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                              ctypes.c_long]
        with open(path, "r+b") as file:
            at = libc.mmap(None, 8192, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, file.fileno(), 0)
        self.assertNotEqual(at, ctypes.c_void_p(-1).value)
        self.used()  # The descriptor that was closed.
        ctypes.memmove(at + 100, b"12345", 5)
        self.used(changes=1)
        self.assert_true()
        self.assertEqual(libc.munmap(ctypes.c_void_p(at), ctypes.c_size_t(8192)), 0)

    def test_a_tree_that_is_cloned_for_one_moment_is_told_all_the_same(self):
        self.begin("xfs", 'atomic = "xfs-reflink"\njournal_proof = "1s"')
        for number in range(20):
            self.write(f"folder/{number}")
        self.snapshot()
        self.write("folder/7", "changed")
        os.rename(self.tree + "/folder/8", self.tree + "/folder/z")
        told = self.snapshot()["journals"][0]
        self.node.wait_until(lambda: self.proven_clean(told))
        self.assert_restored()

    def proven_clean(self, told):
        self.assertEqual(told["missed"], 0, told)
        latest = self.snapshot()["journals"][0]
        self.assertEqual(latest["missed"], 0, latest)
        return latest["proven"]

    def test_a_disk_behind_a_loop_device_is_seen(self):
        self.begin()
        image = self.tree + "/vm.img"
        with open(image, "wb") as file:
            file.truncate(20 << 20)
        self.snapshot()
        device = subprocess.run(["losetup", "--show", "-f", image], check=True, capture_output=True,
                                text=True).stdout.strip()
        try:
            self.used()
            with open(device, "r+b", buffering=0) as disk:
                disk.write(b"b" * 65536)
                os.fsync(disk.fileno())
            self.used()
            with open(image, "rb") as file:
                content = file.read(65536)
            got = subprocess.run([HOLDFAST, "--home", self.node.home, "cat", "pacs", "vm.img"],
                                 check=True, capture_output=True).stdout
            self.assertEqual(got[:65536], content)
            self.assertEqual(content[:1], b"b")
        finally:
            quiet("losetup", "-d", device)

    def test_what_is_excluded_stays_out(self):
        self.begin(more='exclude = ["*.tmp", "cache"]')
        self.write("a/one")
        self.write("cache/old")
        self.snapshot()
        self.write("cache/old", "changed")
        self.write("a/two.tmp")
        self.write("cache/deep/three")
        self.write("a/four")
        self.used()
        listed = self.node.ok("ls", "pacs", "--all").out
        self.assertIn("a/four", listed)
        self.assertNotIn("two.tmp", listed)
        self.assertNotIn("cache", listed)
        self.assert_true_but({"a/two.tmp", "cache"})

    def assert_true_but(self, left_out):
        to = self.node.path("restored")
        self.node.ok("restore", "--latest", "pacs", "--to", to)
        for name in left_out:
            self.assertFalse(os.path.lexists(to + "/" + name))

    def test_names_of_one_file_are_told_apart_only_by_reading_all(self):
        self.begin()
        self.write("one", "content " * 1000)
        os.link(self.tree + "/one", self.tree + "/two")
        self.write("three")
        self.snapshot()
        self.write("four")
        self.used()
        self.assert_true()
        os.link(self.tree + "/three", self.tree + "/five")
        self.whole("")
        self.assert_true()
        self.write("one", "other", "a")
        self.whole("several names")
        self.assert_true()
        # From outside of the folder.
        os.link(self.tree + "/four", self.tree + "/../outside")
        self.whole("hard link")
        with open(self.tree + "/../outside", "w", encoding="ascii") as file:
            file.write("through another name")
        self.whole("several names")
        self.assertEqual(self.node.ok("cat", "pacs", "four").out, "through another name")

    def test_whatever_the_journal_cannot_know_is_read_whole(self):
        self.begin()
        self.write("one")
        self.snapshot()
        self.stop()
        self.whole("the journal does not run")
        self.start()
        self.write("two")
        self.whole("without the journal")
        self.used(changes=0)
        # Begun anew in between.
        self.stop()
        self.write("unseen")
        self.start()
        self.whole("began after")
        self.assert_true()
        # Other settings.
        self.snapshot()
        self.assertEqual(self.node.run("system", "remove", "pacs").code, 0)
        self.system(self.tree, 'exclude = ["*.tmp"]')
        self.whole("settings have changed")
        # Another file system below.
        self.used()
        os.mkdir(self.tree + "/below")
        quiet("mount", "-t", "tmpfs", "none", self.tree + "/below")
        try:
            self.whole("is mounted at " + self.tree + "/below")
        finally:
            quiet("umount", self.tree + "/below")

    def test_a_queue_that_overflows_is_noticed(self):
        with open(QUEUE, encoding="ascii") as file:
            before = file.read()
        self.addCleanup(self.set_queue, before)
        self.set_queue("32")
        self.begin()
        self.write("one")
        self.snapshot()
        self.used(changes=0)
        self.journal.send_signal(19)
        for number in range(200):
            self.write(f"many/{number}")
        self.journal.send_signal(18)
        self.whole("faster than it could read")
        self.assert_true()
        self.used()

    def set_queue(self, text):
        with open(QUEUE, "w", encoding="ascii") as file:
            file.write(text)

    def test_a_journal_that_does_not_tell_all_is_an_alarm(self):
        self.begin(more='journal_proof = "1s"')
        for number in range(20):
            self.write(f"folder/{number}")
        self.snapshot()
        self.node.wait_until(lambda: self.snapshot()["journals"][0]["proven"])
        self.stop()
        os.unlink(self.socket_path())
        self.write("folder/7", "changed")
        os.unlink(self.tree + "/folder/8")
        with Liar(self.socket_path()):
            taken = self.node.run("snapshot", "pacs", "--json")
            for _ in range(100):
                told = taken.json()["journals"][0]
                if told["proven"]:
                    break
                taken = self.node.run("snapshot", "pacs", "--json")
            self.assertEqual(taken.code, 3, taken.out + taken.err)
            self.assertEqual(told["missed"], 3, taken.out)  # The folder's own time, too.
            said = {(one["path"], one["what"].split(";")[0]) for one in taken.json()["warning_list"]}
            what = "the change journal did not tell that it changed"
            self.assertEqual(said, {(path, what) for path in ("folder", "folder/7", "folder/8")})
            self.assert_restored()
            # Until it is proven anew nothing is believed.
            self.whole("had not told of all changes")

    def assert_restored(self):
        to = self.node.path("restored")
        self.node.ok("restore", "--latest", "pacs", "--to", to)
        self.assertEqual(differences(self.tree, to), [])

    def test_years_of_random_changes(self):
        """Each round some changes, some of them while the snapshot is taken; then the whole truth."""
        seed = int(os.environ.get("HOLDFAST_SEED", "20261128"))
        dice = random.Random(seed)
        self.begin()
        make_tree(self.tree + "/old", 40)
        self.snapshot()
        names = [f"d{number}" for number in range(6)]

        def some_path():
            return "/".join([self.tree] + [dice.choice(names) for _ in range(dice.randint(1, 4))])

        def put(path, mode, text):
            with open(path, mode, encoding="ascii") as file:
                file.write(text)

        def change():
            path, other = some_path(), some_path()
            try:
                dice.choice([
                    lambda: os.makedirs(path),
                    lambda: put(path, "w", str(dice.random()) * dice.randint(0, 900)),
                    lambda: put(path, "a", "more"),
                    lambda: os.rename(path, other),
                    lambda: os.unlink(path),
                    lambda: shutil.rmtree(path),
                    lambda: os.chmod(path, dice.choice([0o700, 0o755])),
                    lambda: os.symlink(other, path),
                ])()
            except OSError:
                pass  # There is no such path, or it is of another kind: dice.

        used = 0
        for turn in range(40):
            for _ in range(dice.randint(0, 60)):
                change()
            writer = None
            if turn % 3 == 2:
                writer = threading.Thread(target=lambda: [change() for _ in range(200)])
                writer.start()
            taken = self.node.run("snapshot", "pacs", "--json")
            if writer:
                writer.join()
                # What changed meanwhile may be in this one or in the next.
                self.assertIn(taken.code, (0, 3), taken.out + taken.err)
                taken = self.node.run("snapshot", "pacs", "--json")
            self.assertEqual(taken.code, 0, taken.out + taken.err)
            used += taken.json()["journals"][0]["used"]
            to = self.node.path("restored")
            self.node.ok("restore", "--latest", "pacs", "--to", to)
            self.assertEqual(differences(self.tree, to), [], f"seed {seed}, turn {turn}")
            shutil.rmtree(to)
        self.assertGreater(used, 30)

    def test_a_file_system_that_cannot_be_watched_is_refused(self):
        folder = self.node.path("memory")
        os.mkdir(folder)
        quiet("mount", "-t", "tmpfs", "none", folder)
        self.addCleanup(quiet, "umount", folder)
        self.assertEqual(self.system(folder).code, 0)
        done = self.node.run("journal", "pacs")
        self.assertEqual(done.code, 2)
        self.assertIn("needs ext4 or XFS", done.err)

    def test_settings_that_make_no_sense_are_refused(self):
        for more, said in (('journal_proof = "1d"', None), ('atomic = "btrfs"', "btrfs")):
            done = self.system("/srv", more)
            self.assertEqual(done.code == 0, said is None, done.err)
            if said is not None:
                self.assertIn(said, done.err)


class Liar:
    """A journal that tells of nothing. (agent/source/journal/wire.h)"""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(4)
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def serve(self):
        while True:
            try:
                asker, _ = self.listener.accept()
            except OSError:
                return
            with asker:
                length = struct.unpack("<I", asker.recv(4, socket.MSG_WAITALL))[0]
                asker.recv(length, socket.MSG_WAITALL)
                answer = b"\x01\x00\x09token:not\x00\x00"
                asker.sendall(struct.pack("<I", len(answer)) + answer)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: watching a file system needs root")
        sys.exit(77)
    unittest.main()
