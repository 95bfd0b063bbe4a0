"""Disks: image files, NBD exports, and a disk of a running QEMU that is held while it is read."""
import os
import random
import subprocess
import unittest

from node import SOURCE, Node, free_port

HOLD_QEMU = os.path.join(SOURCE, "images/hooks/hold-qemu")
MIB = 1 << 20


class DiskTest(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.restores = 0

    def add(self, source, name="disk"):
        path = self.node.write(name + ".toml",
                               f'name = "{name}"\ntitle = "T"\n[[source]]\nkind = "image"\n{source}\n')
        return self.node.run("system", "add", path)

    def snapshot(self, *options):
        outcome = self.node.run("snapshot", "disk", "--json", *options)
        self.assertEqual(outcome.code, 0, outcome.out + outcome.err)
        return outcome.json()

    def restored(self):
        """The newest snapshot's disk."""
        self.restores += 1
        to = self.node.path(f"restored-{self.restores}")
        self.node.ok("restore", "--latest", "disk", "--to", to)
        return os.path.join(to, "disk.img")

    def content(self, path):
        with open(path, "rb") as file:
            return file.read()

    def background(self, *command):
        """A server that writes its pid to the file PID; ended with the test."""
        pid = self.node.path("pid")
        subprocess.run([word.replace("PID", pid) for word in command], check=True)

        def end():
            with open(pid, encoding="ascii") as file:
                number = int(file.read())
            os.kill(number, 15)
            self.node.wait_until(lambda: not os.path.exists(f"/proc/{number}"))
            if os.path.exists(pid):
                os.unlink(pid)

        return end


class ImageFileTest(DiskTest):
    def test_a_disk_comes_back_sparse_and_a_change_costs_its_piece(self):
        path = self.node.path("vm.raw")
        noise = random.Random(1)
        with open(path, "wb") as file:
            file.truncate(64 * MIB)
            for at in range(0, 64, 8):
                file.seek(at * MIB)
                file.write(noise.randbytes(MIB))
        self.assertEqual(self.add(f'path = "{path}"').code, 0)
        first = self.snapshot()
        self.assertEqual(first["read_bytes"], 8 * MIB)
        restored = self.restored()
        self.assertEqual(self.content(restored), self.content(path))
        self.assertLess(os.stat(restored).st_blocks * 512, 10 * MIB)
        with open(path, "r+b") as file:
            file.seek(8 * MIB + 5000)
            file.write(b"changed")
        before = sum(map(os.path.getsize, self.node.objects("packs")))
        self.snapshot()
        self.assertLess(sum(map(os.path.getsize, self.node.objects("packs"))) - before, MIB // 2)
        self.assertEqual(self.content(self.restored()), self.content(path))
        self.assertEqual(self.snapshot()["unchanged"], 1)
        self.node.ok("verify", "--read-data")

    @unittest.skipIf(os.geteuid() != 0, "a loop device needs root")
    def test_a_block_device_comes_in_as_what_is_on_it(self):
        path = self.node.path("vm.raw")
        with open(path, "wb") as file:
            file.write(random.Random(6).randbytes(MIB))
            file.truncate(16 * MIB)
        device = subprocess.run(["losetup", "-r", "-f", "--show", path], check=True, capture_output=True,
                                text=True).stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", device], check=True)
        self.assertEqual(self.add(f'path = "{device}"').code, 0)
        self.assertEqual(self.snapshot()["read_bytes"], MIB)  # Zeros are read, and not kept.
        restored = self.restored()
        self.assertEqual(self.content(restored), self.content(path))
        self.assertLess(os.stat(restored).st_blocks * 512, 2 * MIB)

    def test_settings_that_cannot_be_are_told(self):
        for source, told in (
                ("", '"path" is missing'),
                ('path = "relative.img"', "an absolute path, or an NBD URI"),
                ('path = "http://x/y"', "an absolute path, or an NBD URI"),
                ('path = "/x"\nend = ["/bin/true"]', "without begin"),
                ('begin = ["true"]', "the whole path of a program"),
                ('path = "/x"\nexclude = ["a"]', "exclude"),
                ('path = "/x"\nfile = "a/b"', "without /")):
            with self.subTest(source):
                outcome = self.add(source)
                self.assertEqual(outcome.code, 2)
                self.assertIn(told, outcome.err)


class ExportTest(DiskTest):
    def test_an_export_over_tcp_and_one_that_is_gone(self):
        path = self.node.path("vm.raw")
        with open(path, "wb") as file:
            file.write(random.Random(2).randbytes(3 * MIB + 512))
        port = free_port()
        end = self.background("nbdkit", "-r", "-P", "PID", "-i", "127.0.0.1", "-p", str(port), "-e", "vda",
                              "file", path)
        self.assertEqual(self.add(f'path = "nbd://127.0.0.1:{port}/vda"').code, 0)
        self.snapshot()
        self.assertEqual(self.content(self.restored()), self.content(path))
        end()
        outcome = self.node.run("snapshot", "disk")
        self.assertEqual(outcome.code, 1)
        self.assertIn(f"connect to nbd://127.0.0.1:{port}/vda", outcome.err)
        self.assertEqual(len(self.node.ok("snapshots", "--json").json()), 1)


    def test_an_export_that_demands_tls_is_read_with_its_key_and_refused_without(self):
        path = self.node.path("vm.raw")
        with open(path, "wb") as file:
            file.write(random.Random(5).randbytes(2 * MIB))
        keys = self.node.write("keys.psk", "holdfast:" + os.urandom(32).hex() + "\n")
        others = self.node.write("others.psk", "holdfast:" + os.urandom(32).hex() + "\n")
        port = free_port()
        self.addCleanup(self.background("nbdkit", "-r", "-P", "PID", "-i", "127.0.0.1", "-p", str(port),
                                        "--tls=require", f"--tls-psk={keys}", "file", path))
        place = f"holdfast@127.0.0.1:{port}/?tls-psk-file="
        for name, uri in (("plain", f"nbd://127.0.0.1:{port}/"), ("wrong", f"nbds://{place}{others}")):
            self.assertEqual(self.add(f'path = "{uri}"', name).code, 0)
            outcome = self.node.run("snapshot", name)
            self.assertEqual(outcome.code, 1, name)
            self.assertIn(f"connect to {uri}", outcome.err)
        self.assertEqual(self.add(f'path = "nbds://{place}{keys}"').code, 0)
        self.snapshot()
        self.assertEqual(self.content(self.restored()), self.content(path))


class QemuTest(DiskTest):
    """qemu-storage-daemon is QEMU without the machine; its FUSE export is where the guest writes."""

    def setUp(self):
        super().setUp()
        self.image = self.node.path("guest.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.image, "64M"], check=True)
        self.guest = self.node.write("guest", "")
        self.qmp = self.node.path("qmp")
        self.started = None
        self.start()
        self.addCleanup(lambda: self.started and self.started())
        hold = f'--qmp", "{self.qmp}", "--node", "disk0", "--scratch", "{self.node.root}"'
        begin = self.node.write("begin", f"""#!/bin/sh
{HOLD_QEMU} begin "$@" || exit
# The guest goes on as soon as the disk is held.
cd {self.node.root} || exit
[ ! -e meanwhile ] || dd if=meanwhile of={self.guest} bs=1M seek=4 conv=notrunc status=none
[ ! -e fail ] || exit 9
""")
        os.chmod(begin, 0o755)
        self.assertEqual(self.add(f'begin = ["{begin}", "{hold}]\n'
                                  f'end = ["{HOLD_QEMU}", "end", "{hold}]').code, 0)

    def start(self):
        end = self.background(
            "qemu-storage-daemon", "--daemonize", "--pidfile", "PID",
            "--blockdev", f"file,node-name=file0,filename={self.image}",
            "--blockdev", "qcow2,node-name=disk0,file=file0",
            "--chardev", f"socket,id=c,path={self.qmp},server=on,wait=off", "--monitor", "chardev=c",
            "--export", f"fuse,id=guest,node-name=disk0,mountpoint={self.guest},writable=on")

        def stop():
            end()
            self.started = None

        self.started = stop

    def write(self, at, content):
        with open(self.guest, "r+b") as disk:
            disk.seek(at)
            disk.write(content)

    def test_a_disk_in_use_is_of_one_moment_and_then_only_its_changes_are_read(self):
        noise = random.Random(3)
        self.write(0, noise.randbytes(16 * MIB))
        held = self.content(self.guest)
        with open(self.node.path("meanwhile"), "wb") as file:
            file.write(noise.randbytes(2 * MIB))
        self.assertEqual(self.snapshot()["read_bytes"], 16 * MIB)
        now = self.content(self.guest)
        self.assertNotEqual(now, held)
        self.assertEqual(self.content(self.restored()), held)
        os.unlink(self.node.path("meanwhile"))

        self.write(40 * MIB, noise.randbytes(1000))
        now = self.content(self.guest)
        again = self.snapshot()
        self.assertEqual(again["read_bytes"], 2 * MIB + 65536)
        self.assertEqual(self.content(self.restored()), now)
        self.assertEqual([name for name in os.listdir(self.node.root) if name.startswith("holdfast-")], [])

        # A snapshot that failed does not come between: the next is told of the last good one.
        self.write(20 * MIB, noise.randbytes(MIB))
        self.node.write("fail", "")
        self.assertEqual(self.node.run("snapshot", "disk").code, 1)
        os.unlink(self.node.path("fail"))
        self.write(30 * MIB, noise.randbytes(MIB))
        now = self.content(self.guest)
        self.assertEqual(self.snapshot()["read_bytes"], 2 * MIB)
        self.assertEqual(self.content(self.restored()), now)

        # Without the bitmap (QEMU was started anew) all is read.
        self.started()
        self.start()
        self.assertEqual(self.snapshot()["read_bytes"], 18 * MIB + 65536)
        self.assertEqual(self.content(self.restored()), now)
        self.assertEqual(self.snapshot("--read-all")["read_bytes"], 18 * MIB + 65536)
        self.node.ok("verify", "--read-data")

    def test_a_begin_that_was_killed_is_cleared_away_by_the_next(self):
        self.write(0, random.Random(4).randbytes(MIB))
        subprocess.run([HOLD_QEMU, "begin", "--qmp", self.qmp, "--node", "disk0", "--scratch",
                        self.node.root], check=True, stdout=subprocess.DEVNULL)
        self.snapshot()
        self.assertEqual(self.content(self.restored()), self.content(self.guest))

    def test_what_qemu_refuses_is_told(self):
        done = subprocess.run([HOLD_QEMU, "begin", "--qmp", self.qmp, "--node", "disk9"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn('there is no node "disk9"; there are: disk0, file0', done.stderr)
        done = subprocess.run([HOLD_QEMU, "begin", "--qmp", self.node.path("nowhere"), "--node", "disk0"],
                              capture_output=True, text=True)
        self.assertIn("nowhere: No such file", done.stderr)


if __name__ == "__main__":
    unittest.main()
