"""The golden vaults, read by the rescue reader."""
import hashlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

SOURCE = os.environ["HOLDFAST_SOURCE"]
GOLDEN = os.path.join(SOURCE, "tests/golden")
RESCUE = os.path.join(SOURCE, "images/rescue/holdfast-rescue")


def escaped(name):
    if not name:
        return "-"
    return "".join(chr(b) if chr(b).isascii() and (chr(b).isalnum() or chr(b) in "._/-") else f"%{b:02x}"
                   for b in name)


def describe(root):
    """The lines of tests/golden/description.h."""
    top, lines = os.fsencode(root), {}
    for folder, folders, files in os.walk(top):
        names = [folder] if folder == top else []
        for path in names + [os.path.join(folder, name) for name in folders + files]:
            name = b"" if path == top else os.path.relpath(path, top)
            lines[name] = line(path, name)
    return "".join(lines[name] + "\n" for name in sorted(lines))


def line(path, name):
    info = os.lstat(path)
    kinds = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p",
             stat.S_IFSOCK: "s", stat.S_IFCHR: "c", stat.S_IFBLK: "b"}
    kind = kinds[stat.S_IFMT(info.st_mode)]
    size = content = "-"
    if kind == "f":
        with open(path, "rb") as file:
            data = file.read()
        size, content = str(len(data)), hashlib.blake2b(b"\0" + data, digest_size=32).hexdigest()
    xattrs = ",".join(
        escaped(os.fsencode(n)) + "=" + os.getxattr(path, n, follow_symlinks=False).hex()
        for n in sorted(os.listxattr(path, follow_symlinks=False)))
    return " ".join([
        kind, f"{stat.S_IMODE(info.st_mode):o}", str(info.st_uid), str(info.st_gid),
        str(info.st_mtime_ns), "-" if kind == "d" else str(info.st_nlink), size, content,
        str(info.st_rdev) if kind in "cb" else "-", xattrs or "-", escaped(name),
        escaped(os.readlink(path)) if kind == "l" else "-"])


def rescue(*arguments):
    return subprocess.run([RESCUE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)


class GoldenTest(unittest.TestCase):
    maxDiff = None

    def read(self, vault, *arguments):
        at = os.path.join(GOLDEN, vault)
        done = rescue("--kit", at + "/kit.json", "--passphrase-file", at + "/passphrase.txt",
                      at + "/vault", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_verify_is_clean(self):
        for vault in ("node", "locked", "carried", "renewed"):
            self.assertRegex(self.read(vault, "verify"), "verified: [23] snapshots")

    @unittest.skipIf(os.geteuid() != 0, "needs root, for owners and devices")
    def test_snapshots_come_back_as_they_were(self):
        for vault in ("node", "locked", "carried", "renewed"):
            for name in sorted(os.listdir(os.path.join(GOLDEN, vault, "expected"))):
                snapshot, *source = name.removesuffix(".txt").split(".")
                with self.subTest(vault=vault, snapshot=name), tempfile.TemporaryDirectory() as scratch:
                    to = scratch + "/to"
                    self.read(vault, "restore", snapshot, "--to", to)
                    with open(os.path.join(GOLDEN, vault, "expected", name), encoding="ascii") as file:
                        self.assertEqual(describe(os.path.join(to, *source)), file.read())

    def test_a_damaged_carry_has_an_older_one_behind_it(self):
        at = os.path.join(GOLDEN, "carried")
        with tempfile.TemporaryDirectory() as scratch:
            vault = shutil.copytree(at + "/vault", scratch + "/vault")
            chain, = os.listdir(vault + "/ledger")
            entries = sorted(os.listdir(f"{vault}/ledger/{chain}"))
            with open(f"{vault}/ledger/{chain}/{entries[-1]}", "r+b") as newest:
                newest.seek(400)
                byte = newest.read(1)
                newest.seek(400)
                newest.write(bytes([byte[0] ^ 1]))
            listed = rescue("--kit", at + "/kit.json", "--passphrase-file", at + "/passphrase.txt",
                            vault, "list")
            self.assertEqual(listed.returncode, 3, listed.stderr)
            self.assertIn(entries[-1], listed.stderr)
            self.assertEqual(listed.stdout.count("notes "), 2, listed.stdout)
            os.remove(f"{vault}/ledger/{chain}/{entries[0]}")  # The older carry.
            listed = rescue("--kit", at + "/kit.json", "--passphrase-file", at + "/passphrase.txt",
                            vault, "list")
            self.assertEqual(listed.returncode, 3, listed.stderr)
            self.assertEqual(listed.stdout.count("notes "), 0, listed.stdout)

    def test_two_custodians_stand_in_for_the_kit(self):
        at = os.path.join(GOLDEN, "locked")
        with open(at + "/kit.json", encoding="utf-8") as file:
            trust = json.load(file)["trust"]
        with tempfile.TemporaryDirectory() as scratch:
            shares = []
            for number in (2, 3):
                opened = rescue("share", "--trust", trust, "--key", f"{at}/custodian-{number}.key",
                                at + "/vault")
                self.assertEqual((opened.returncode, opened.stderr), (0, ""))
                shares.append(f"{scratch}/share-{number}")
                with open(shares[-1], "w", encoding="ascii") as file:
                    file.write(opened.stdout)
            made = rescue("combine", "--share", *shares)
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            with open(scratch + "/kit", "w", encoding="ascii") as file:
                file.write(made.stdout)
            done = rescue("--kit", scratch + "/kit", at + "/vault", "verify")
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
