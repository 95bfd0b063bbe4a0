"""Folder trees of one moment: snapshots of btrfs and LVM, hooks, and a PACS under upload."""
import json
import os
import subprocess
import sys
import threading
import unittest
from contextlib import contextmanager

from node import Node, differences

DICOM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dicom.py")


def quiet(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class MomentTest(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)

    def mount(self, kind, megabytes=400):
        """A file system of its own at the folder "disk"."""
        image = self.node.path("disk.img")
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        quiet("mkfs." + kind, "-q", image)
        disk = self.node.path("disk")
        os.mkdir(disk)
        quiet("mount", "-o", "loop", image, disk)
        self.addCleanup(quiet, "umount", disk)
        return disk

    def add(self, name, source):
        path = self.node.write(name + ".toml", f'name = "{name}"\ntitle = "T"\n[[source]]\n{source}\n')
        return self.node.run("system", "add", path)

    def restored(self, name):
        to = self.node.path(f"restored-{name}")
        self.node.ok("restore", "--latest", name, "--to", to)
        return to

    def program(self, name, script):
        path = self.node.write(name, "#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        return path

    @contextmanager
    def writer(self, folder):
        """Counts in the first file of the folder and then in the last: never apart by more than one."""
        stop = threading.Event()

        def put(name, number):
            with open(folder + "/.new", "w", encoding="ascii") as file:
                file.write(str(number))
            os.rename(folder + "/.new", folder + "/" + name)

        def count():
            number = 1
            while not stop.is_set():
                put("a", number)
                put("z", number)
                number += 1

        put("a", 0)
        put("z", 0)
        thread = threading.Thread(target=count)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def apart(self, folder):
        """By how much the first counter is ahead of the last."""
        numbers = []
        for name in ("a", "z"):
            with open(os.path.join(folder, name), encoding="ascii") as file:
                numbers.append(int(file.read()))
        return numbers[0] - numbers[1]

    def fill(self, folder, files=3000):
        os.makedirs(folder, exist_ok=True)
        for i in range(files):
            with open(f"{folder}/m{i:05}", "wb") as file:
                file.write(os.urandom(2000))


@unittest.skipIf(os.geteuid() != 0, "mounting needs root")
class BtrfsTest(MomentTest):
    def setUp(self):
        super().setUp()
        self.disk = self.mount("btrfs")
        self.pacs = self.disk + "/srv/pacs"
        quiet("btrfs", "subvolume", "create", self.disk + "/srv")
        self.fill(self.pacs)

    def source(self, more="", atomic="btrfs"):
        return f'kind = "files"\npath = "{self.pacs}"\natomic = "{atomic}"\n{more}'

    def held(self):
        return [name for name in os.listdir(self.disk + "/srv") if name.startswith(".holdfast")]

    def test_a_tree_in_use_is_of_one_moment(self):
        self.assertEqual(self.add("pacs", self.source()).code, 0)
        with self.writer(self.pacs):
            outcome = self.node.ok("snapshot", "pacs", "--json").json()
        self.assertEqual(outcome["warnings"], 0)
        self.assertIn(self.apart(self.restored("pacs")), (0, 1))
        self.assertEqual(self.held(), [])

    def test_what_has_not_changed_is_not_read_again(self):
        self.assertEqual(self.add("pacs", self.source()).code, 0)
        self.node.ok("snapshot", "pacs")
        again = self.node.ok("snapshot", "pacs", "--json").json()
        self.assertEqual((again["unchanged"], again["read_bytes"]), (3000, 0))
        self.assertEqual(differences(self.pacs, self.restored("pacs")), [])

    def test_the_root_of_a_subvolume_has_no_trace_of_the_snapshot(self):
        os.rename(self.pacs + "/m00001", self.disk + "/srv/index")
        self.assertEqual(self.add("all", self.source().replace("/srv/pacs", "/srv")).code, 0)
        self.node.ok("snapshot", "all")
        restored = self.restored("all")
        self.assertEqual(sorted(os.listdir(restored)), ["index", "pacs"])
        self.assertEqual(differences(self.pacs, restored + "/pacs"), [])

    def test_a_subvolume_below_is_not_left_out_in_silence(self):
        quiet("btrfs", "subvolume", "create", self.pacs + "/inner")
        self.assertEqual(self.add("pacs", self.source()).code, 0)
        outcome = self.node.run("snapshot", "pacs")
        self.assertEqual(outcome.code, 2)
        self.assertIn("inner is a subvolume of its own", outcome.err)
        self.assertEqual(self.add("rest", self.source('exclude = ["/inner"]')).code, 0)
        self.node.ok("snapshot", "rest")

    def test_what_a_killed_snapshot_left_is_removed(self):
        left = self.disk + "/srv/.holdfast-moment-999999999-aa"
        quiet("btrfs", "subvolume", "snapshot", "-r", self.disk + "/srv", left)
        self.assertEqual(self.add("pacs", self.source()).code, 0)
        self.node.ok("snapshot", "pacs")
        self.assertFalse(os.path.exists(left))

    def test_a_snapshot_that_fails_leaves_no_subvolume(self):
        self.assertEqual(self.add("pacs", self.source(
            '[[source]]\nkind = "command"\ncommand = ["/bin/false"]')).code, 0)
        self.assertEqual(self.node.run("snapshot", "pacs").code, 1)
        self.assertEqual(self.held(), [])

    def test_a_hook_around_it_ends_before_the_reading(self):
        note = self.node.path("note")
        begin = self.program("begin", f"echo paused >> {note}")
        end = self.program("end", f"ls -A {self.disk}/srv >> {note}; echo resumed >> {note}")
        self.assertEqual(self.add("pacs", self.source(f'begin = ["{begin}"]\nend = ["{end}"]')).code, 0)
        self.node.ok("snapshot", "pacs")
        with open(note, encoding="utf-8") as file:
            said = file.read().split()
        self.assertEqual((said[0], said[-1]), ("paused", "resumed"))
        self.assertEqual(len([word for word in said if word.startswith(".holdfast-moment")]), 1)

    def test_a_folder_that_is_elsewhere_is_refused(self):
        self.pacs = self.node.path("elsewhere")
        os.mkdir(self.pacs)
        self.assertEqual(self.add("pacs", self.source()).code, 0)
        self.assertIn("is not on btrfs", self.node.run("snapshot", "pacs").err)
        self.assertEqual(self.add("other", self.source(atomic="lvm")).code, 0)
        outcome = self.node.run("snapshot", "other")
        self.assertEqual(outcome.code, 2)
        self.assertIn("which is no LVM volume", outcome.err)

    def test_a_pacs_under_upload_comes_back_whole_on_another_host(self):
        with Orthanc(self, "orthanc-1", self.pacs) as orthanc:
            self.assertEqual(self.add("pacs", self.source()).code, 0)
            with orthanc.uploading() as uploaded:
                uploaded(20)
                self.node.ok("snapshot", "pacs")
                uploaded(5)
        with Orthanc(self, "orthanc-2", self.restored("pacs")) as orthanc:
            self.assertGreaterEqual(orthanc.verified(), 20)


@unittest.skipIf(os.geteuid() != 0, "mounting needs root")
class ReflinkTest(MomentTest):
    def setUp(self):
        super().setUp()
        self.disk = self.mount("xfs")
        self.pacs = self.disk + "/pacs"
        self.fill(self.pacs, 500)
        os.link(self.pacs + "/m00001", self.pacs + "/second-name")
        os.symlink("m00002", self.pacs + "/link")
        os.setxattr(self.pacs, "user.of", b"root")
        os.chmod(self.pacs, 0o750)

    def source(self, folder, more=""):
        return f'kind = "files"\npath = "{folder}"\natomic = "xfs-reflink"\n{more}'

    def clones(self):
        return [name for at, _, _ in os.walk(self.disk) for name in os.listdir(at) if ".holdfast" in name]

    def test_a_clone_comes_back_as_the_tree_and_what_is_unchanged_is_not_read(self):
        for name, folder in (("pacs", self.pacs), ("all", self.disk)):
            with self.subTest(folder):
                self.assertEqual(self.add(name, self.source(folder)).code, 0)
                self.node.ok("snapshot", name)
                again = self.node.ok("snapshot", name, "--json").json()
                self.assertEqual(again["read_bytes"], 0)
                self.assertEqual(differences(folder, self.restored(name)), [])
                self.assertEqual(self.clones(), [])

    def test_a_tree_that_changes_meanwhile_is_held_by_pausing_what_writes_to_it(self):
        with self.writer(self.pacs):
            self.assertEqual(self.add("pacs", self.source(self.pacs)).code, 0)
            outcome = self.node.run("snapshot", "pacs")
            self.assertEqual(outcome.code, 1)
            self.assertIn("changed each time while it was cloned", outcome.err)
        self.assertEqual(self.clones(), [])
        with Orthanc(self, "orthanc-1", self.pacs) as orthanc:
            pid = orthanc.process.pid
            pause = self.program("pause", f"kill -STOP {pid}")
            resume = self.program("resume", f"kill -CONT {pid}")
            self.assertEqual(self.add("paused", self.source(
                self.pacs, f'begin = ["{pause}"]\nend = ["{resume}"]')).code, 0)
            with orthanc.uploading() as uploaded:
                uploaded(20)
                self.node.ok("snapshot", "paused")
                uploaded(5)
        with Orthanc(self, "orthanc-2", self.restored("paused")) as orthanc:
            self.assertGreaterEqual(orthanc.verified(), 20)

    def test_what_a_killed_snapshot_left_is_removed(self):
        left = self.disk + "/.holdfast-moment-999999999-aa"
        self.fill(left, 3)
        self.assertEqual(self.add("pacs", self.source(self.pacs)).code, 0)
        self.node.ok("snapshot", "pacs")
        self.assertFalse(os.path.exists(left))

    def test_where_there_are_no_reflinks_it_is_told(self):
        elsewhere = self.node.path("elsewhere")
        self.fill(elsewhere, 2)
        self.assertEqual(self.add("pacs", self.source(elsewhere)).code, 0)
        outcome = self.node.run("snapshot", "pacs")
        self.assertEqual(outcome.code, 2)
        self.assertIn("cannot be cloned", outcome.err)


class Orthanc:
    """Debian's Orthanc over a folder, in a network of its own: it listens on every address it finds."""

    def __init__(self, test, name, folder):
        self.test = test
        self.log = test.node.path(name + ".log")
        self.settings = test.node.write(name + ".json", json.dumps({
            "Name": name, "StorageDirectory": folder + "/store", "IndexDirectory": folder + "/store",
            "HttpPort": 8042, "DicomServerEnabled": False, "RemoteAccessAllowed": True,
            "AuthenticationEnabled": False, "HttpServerEnabled": True, "Plugins": []}))

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", f"ip link set lo up && exec Orthanc {self.settings}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.test.node.wait_until(self.listens)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def inside(self, *command):
        return ["nsenter", "--target", str(self.process.pid), "--net", *command]

    def listens(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            said = log.read()
        self.test.assertIsNone(self.process.poll(), said)
        return "Orthanc has started" in said

    @contextmanager
    def uploading(self):
        client = subprocess.Popen(self.inside(sys.executable, DICOM, "upload", "1"), text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def uploaded(more):
            for _ in range(more):
                self.test.assertNotEqual(client.stdout.readline(), "", "the upload ended")

        try:
            yield uploaded
        finally:
            client.stdin.close()
            client.stdout.read()
            client.stdout.close()
            self.test.assertEqual(client.wait(), 0)

    def verified(self):
        done = subprocess.run(self.inside(sys.executable, DICOM, "verify"), capture_output=True, text=True)
        self.test.assertEqual(done.returncode, 0, done.stderr)
        return int(done.stdout)


def has_device_mapper():
    with open("/proc/misc", encoding="ascii") as misc:
        return "device-mapper" in misc.read()


@unittest.skipUnless(os.geteuid() == 0 and has_device_mapper(),
                     "needs root and the kernel's device mapper")
class LvmTest(MomentTest):
    def setUp(self):
        super().setUp()
        image = self.node.path("disk.img")
        with open(image, "wb") as file:
            file.truncate(600 << 20)
        device = subprocess.run(["losetup", "-f", "--show", image], check=True, capture_output=True,
                                text=True).stdout.strip()
        self.addCleanup(quiet, "losetup", "-d", device)
        self.group = f"hftest{os.getpid()}"
        quiet("vgcreate", self.group, device)
        self.addCleanup(quiet, "vgremove", "-f", "-y", self.group)

    def test_a_tree_in_use_is_of_one_moment(self):
        for kind in ("ext4", "xfs"):
            with self.subTest(kind):
                quiet("lvcreate", "-y", "-L", "320M", "-n", kind, self.group)
                quiet("mkfs." + kind, "-q", f"/dev/{self.group}/{kind}")
                disk = self.node.path(kind)
                os.mkdir(disk)
                quiet("mount", f"/dev/{self.group}/{kind}", disk)
                self.addCleanup(quiet, "umount", disk)
                self.fill(disk + "/pacs")
                self.assertEqual(self.add(kind, f'kind = "files"\npath = "{disk}/pacs"\natomic = "lvm"').code,
                                 0)
                with self.writer(disk + "/pacs"):
                    self.node.ok("snapshot", kind)
                self.assertIn(self.apart(self.restored(kind)), (0, 1))
                volumes = subprocess.run(["lvs", "--noheadings", "-o", "lv_name", self.group], check=True,
                                         capture_output=True, text=True).stdout
                self.assertNotIn("holdfast", volumes)


class HookTest(MomentTest):
    def setUp(self):
        super().setUp()
        self.tree = self.node.path("tree")
        self.fill(self.tree, 5)
        self.note = self.node.path("note")

    def source(self, begin, end="exit 0"):
        begin = self.program("begin", begin)
        end = self.program("end", f"echo $HOLDFAST_OUTCOME >> {self.note}\n{end}")
        return (f'kind = "files"\npath = "{self.tree}"\natomic = "hook"\nbegin = ["{begin}"]\n'
                f'end = ["{end}"]')

    def told(self):
        with open(self.note, encoding="utf-8") as file:
            return file.read()

    def test_what_the_hook_holds_is_read(self):
        copy = self.node.path("copy")
        self.assertEqual(self.add("tree", self.source(f"cp -a {self.tree} {copy} && echo path {copy}",
                                                      f"rm -r {copy}")).code, 0)
        self.node.ok("snapshot", "tree")
        self.assertEqual(differences(self.tree, self.restored("tree")), [])
        self.assertEqual(self.told(), "read\n")
        self.assertFalse(os.path.exists(copy))

    def test_a_hook_that_fails_leaves_no_snapshot_and_is_undone(self):
        self.assertEqual(self.add("tree", self.source("echo the array is offline >&2; exit 5")).code, 0)
        outcome = self.node.run("snapshot", "tree")
        self.assertEqual(outcome.code, 1)
        self.assertIn("ended with 5: the array is offline", outcome.err)
        self.assertEqual(self.told(), "failed\n")
        self.assertEqual(self.node.ok("snapshots", "--json").json(), [])

    def test_an_end_that_fails_is_a_warning(self):
        self.assertEqual(self.add("tree", self.source("exit 0", "echo still held >&2; exit 1")).code, 0)
        outcome = self.node.run("snapshot", "tree")
        self.assertEqual(outcome.code, 3)
        self.assertIn("still held", outcome.err + outcome.out)

    def test_settings_that_cannot_be_are_told(self):
        for more, told in (('atomic = "zfs"', '"btrfs", "lvm", "xfs-reflink" or "hook"'),
                           ('atomic = "hook"', '"begin" is missing'),
                           ('begin = ["/bin/true"]', "without atomic"),
                           ('atomic = "btrfs"\nend = ["/bin/true"]', "without begin")):
            with self.subTest(more):
                outcome = self.add("tree", f'kind = "files"\npath = "{self.tree}"\n{more}')
                self.assertEqual(outcome.code, 2)
                self.assertIn(told, outcome.err)


if __name__ == "__main__":
    unittest.main()
