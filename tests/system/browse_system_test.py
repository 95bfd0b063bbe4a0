"""ls, cat, tar, find, diff, stats: looking into snapshots without restoring them."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from node import HOLDFAST, differences
from tree_case import TreeCase


def is_pending(pid, number):
    """True while no thread of the process has taken up the signal."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        pending = [line.split()[1] for line in status if line.startswith("ShdPnd:")]
    return int(pending[0], 16) >> (number - 1) & 1 == 1


class BrowseTest(TreeCase):
    def test_snapshots_are_looked_into_without_restoring_them(self):
        first = self.snapshot()["id"]
        before = self.listed(first)
        on_disk = {os.path.relpath(os.path.join(at, name), self.tree)
                   for at, folders, files in os.walk(self.tree) for name in folders + files}
        as_json = {os.fsencode(path).decode(errors="replace") for path in on_disk}
        self.assertEqual({entry["path"] for entry in before}, as_json)
        top = self.good("ls", "share", "--json").json()
        self.assertEqual({entry["path"] for entry in top},
                         {path for path in as_json if "/" not in path})
        files = [entry for entry in before if entry["type"] == "f" and "\ufffd" not in entry["path"]]
        self.assertGreater(len(files), 10)
        for entry in files[:40]:
            with open(os.path.join(self.tree, entry["path"]), "rb") as file:
                shown = subprocess.run(self.command("cat", "share", "/" + entry["path"]),
                                       check=True, capture_output=True).stdout
                self.assertEqual(shown, file.read(), entry["path"])
        self.node.write("tree/noted.pdf", "first")
        second = self.snapshot()["id"]
        self.node.write("tree/noted.pdf", "second text")
        third = self.snapshot()["id"]
        self.assertEqual(self.good("diff", first, second).out.splitlines()[0], "+ noted.pdf")
        self.assertEqual(self.good("diff", second[:12], "share").out.splitlines()[0], "M noted.pdf")
        self.assertEqual([change["path"] for change in
                          self.good("diff", third, first, "--json").json()], ["noted.pdf"])
        found = self.good("find", "*.pdf", "--json").json()
        self.assertEqual([(one["size"], one["newest"]["id"]) for one in found if
                          one["path"] == "noted.pdf"], [(11, third), (5, second)])
        self.assertEqual(self.good("find", "noted.*", "--snapshot", first, "--json").json(), [])

    def test_a_look_into_a_snapshot_tells_what_is_not_there(self):
        self.snapshot()
        for words, code, said in ((("ls", "nothing"), 1, "no snapshot and no system"),
                                  (("ls", "share", "absent"), 1, "the snapshot has no absent"),
                                  (("cat", "share", "share"), 2, "is a folder"),
                                  (("diff", "share"), 2, "AFTER"),
                                  (("find", "[", "--system", "share"), 2, "[")):
            outcome = self.node.run(*words)
            self.assertEqual(outcome.code, code, words)
            self.assertIn(said, outcome.err)
            self.assertEqual(outcome.out, "")

    def system_of(self, *sources):
        text = 'name = "epr"\ntitle = "Records"\nsupplier = "Pippin"\n' + "".join(
            f'[[source]]\nname = "{name}"\nkind = "files"\npath = "{self.node.path(name)}"\n'
            for name in sources)
        self.node.write("home/systems/epr.toml", text)
        return self.good("snapshot", "epr", "--json").json()["id"]

    def test_paths_of_several_sources_begin_with_the_source(self):
        for name in ("documents", "settings"):
            os.makedirs(self.node.path(name))
            self.node.write(f"{name}/note", f"of {name}")
        first = self.system_of("documents", "settings")
        self.assertEqual(self.good("ls", "epr").out.split(), ["documents", "settings"])
        self.assertEqual(self.good("ls", "epr", "--all").out.split(),
                         ["documents", "documents/note", "settings", "settings/note"])
        self.assertEqual(self.good("ls", "epr", "settings/").out, "settings/note\n")
        self.assertEqual(self.good("cat", "epr", "settings/note").out, "of settings")
        self.assertEqual([one["path"] for one in self.good("find", "note", "--json").json()],
                         ["documents/note", "settings/note"])
        stray = self.node.run("cat", "epr", "note")
        self.assertEqual(stray.code, 1)
        self.assertIn("it has documents, settings", stray.err)
        self.assertEqual(self.node.run("cat", "epr", "/").code, 2)
        self.node.write("settings/note", "new")
        self.assertEqual(self.good("diff", first, self.system_of("documents", "settings")).out
                         .splitlines()[0], "M settings/note")
        os.makedirs(self.node.path("images"))
        self.assertEqual(self.good("diff", first, self.system_of("documents", "images")).out
                         .splitlines()[:3], ["- settings", "- settings/note", "+ images"])

    def unpacked(self, *words):
        """The folder that GNU tar makes of what `holdfast tar WORDS` writes, and how that ended."""
        to = self.node.path("unpacked")
        shutil.rmtree(to, ignore_errors=True)
        os.makedirs(to)
        with tempfile.TemporaryFile() as archive:
            outcome = subprocess.run(self.command("tar", *words), stdout=archive,
                                     stderr=subprocess.PIPE, check=False)
            archive.seek(0)
            subprocess.run(["tar", "-x", "-p", "--acls", "--xattrs", "--xattrs-include=*", "-C", to],
                           stdin=archive, check=True)
        return to, outcome

    def test_gnu_tar_unpacks_a_snapshot_as_it_was(self):
        os.mkfifo(os.path.join(self.tree, "fifo"))
        for name, begin in (("hole", b""), ("hole-behind", b"begin" * 1000)):
            self.node.write("tree/" + name, begin.decode())
            os.truncate(os.path.join(self.tree, name), 5 << 20)
        note = os.path.join(self.tree, "share/000/note-0.txt")
        os.utime(note, ns=(0, -1_500_000_001))
        subprocess.run(["setfattr", "-n", "user.ward", "-v", "seven", note], check=True)
        subprocess.run(["setfacl", "-m", "u:12:rw,g:34:r", note], check=True)
        subprocess.run(["setfacl", "-d", "-m", "u:12:rwx", self.tree + "/share"], check=True)
        self.snapshot()
        to, outcome = self.unpacked("share")
        self.assertEqual((outcome.returncode, outcome.stderr), (0, b""))
        self.assertEqual(differences(self.tree, to), [])
        for show in (["getfacl", "-R", "-n"], ["getfattr", "-R", "-d", "-m", "user"]):
            before, after = (subprocess.run([*show, "."], cwd=folder, check=True,
                                            capture_output=True).stdout for folder in (self.tree, to))
            self.assertEqual(before, after)
            self.assertIn(b"seven" if show[0] == "getfattr" else b"user:12:rwx", after)
        for name in ("sparse", "hole", "hole-behind"):
            self.assertLess(os.stat(os.path.join(to, name)).st_blocks * 512, 1 << 20, name)

    def test_what_tar_cannot_hold_is_told_and_what_is_damaged_is_zeros(self):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.path.join(self.tree, "door"))
        content = os.urandom(12_000_000)
        with open(os.path.join(self.tree, "large"), "wb") as file:
            file.write(content)
        self.snapshot()
        to, outcome = self.unpacked("share")
        self.assertEqual(outcome.returncode, 3)
        self.assertEqual(outcome.stderr.decode(), "holdfast: warning: door: a socket, which tar "
                                                  "cannot hold; left out\n")
        self.damage_largest_pack()
        to, outcome = self.unpacked("share")
        self.assertEqual(outcome.returncode, 1)
        self.assertIn(b"warning: large: ", outcome.stderr)
        with open(os.path.join(to, "large"), "rb") as file:
            found = file.read()
        self.assertEqual(len(found), len(content))
        lost = [i for i in range(0, len(content), 4096) if found[i:i + 4096] != content[i:i + 4096]]
        self.assertTrue(0 < len(lost) <= 1 + (4 << 20) // 4096, len(lost))  # One chunk.
        self.assertTrue(any(found[i:i + 4096] == bytes(4096) for i in lost))
        os.remove(os.path.join(self.tree, "door"))
        self.assertEqual(differences(self.tree, to), ["b'large': content"])

    def test_a_part_of_a_snapshot_comes_as_tar(self):
        self.snapshot()
        to, outcome = self.unpacked("share", "share/001")
        self.assertEqual((outcome.returncode, outcome.stderr), (0, b""))
        self.assertEqual(differences(self.tree + "/share/001", to + "/share/001"), [])
        self.assertEqual((os.listdir(to), os.listdir(to + "/share")), (["share"], ["001"]))
        to, outcome = self.unpacked("share", "zz-second-name")
        self.assertEqual((outcome.returncode, os.listdir(to)), (0, ["zz-second-name"]))
        with open(to + "/zz-second-name", "rb") as file:
            self.assertEqual(file.read(), bytes(3 << 20) + b"end")
        absent = self.node.run("tar", "share", "absent")
        self.assertEqual((absent.code, absent.out), (1, ""))
        self.assertIn("the snapshot has no absent", absent.err)

    def archive_of_large(self):
        """`holdfast tar` of more than a pipe holds, whose first byte was read."""
        with open(os.path.join(self.tree, "large"), "wb") as file:
            file.write(os.urandom(12_000_000))
        self.snapshot()
        writing = subprocess.Popen(self.command("tar", "share"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.assertEqual(len(writing.stdout.read(1)), 1)
        return writing

    def test_ctrl_c_cuts_an_archive_off_and_says_so(self):
        with self.archive_of_large() as writing:
            writing.send_signal(signal.SIGINT)
            while is_pending(writing.pid, signal.SIGINT):
                pass
            rest, said = writing.communicate()
        self.assertEqual(writing.returncode, 1)
        self.assertIn(b"stopped; the archive is cut off", said)
        self.assertLess(len(rest), 12_000_000)
        self.assertNotEqual(rest[-1024:], bytes(1024))

    def test_a_second_ctrl_c_ends_at_once_what_nobody_reads(self):
        with self.archive_of_large() as writing:
            try:
                for _ in range(50):
                    writing.send_signal(signal.SIGINT)
                    try:
                        writing.wait(timeout=0.2)
                        break
                    except subprocess.TimeoutExpired:
                        continue
                self.assertEqual(writing.poll(), -signal.SIGINT)
            finally:
                writing.kill()

    def test_an_answer_that_cannot_be_written_is_a_failure(self):
        self.snapshot()
        for words in (("ls", "share", "--all"), ("cat", "share", "sparse"), ("tar", "share"), ("find", "*"), ("stats",),
                      ("snapshots",), ("snapshots", "--json"), ("system", "list", "--json")):
            with open("/dev/full", "wb") as full:
                outcome = subprocess.run(self.command(*words), stdout=full, stderr=subprocess.PIPE,
                                         check=False)
            self.assertEqual(outcome.returncode, 1, words)
            self.assertIn(b"write the answer: No space left", outcome.stderr)
            reading, writing = os.pipe()
            os.close(reading)
            with open(writing, "wb") as nobody:
                outcome = subprocess.run(self.command(*words), stdout=nobody, stderr=subprocess.PIPE,
                                         check=False)
            self.assertEqual((outcome.returncode, outcome.stderr), (-signal.SIGPIPE, b""), words)

    def damage_largest_pack(self):
        largest = max(self.node.objects("pack"), key=os.path.getsize)
        with open(largest, "r+b") as file:
            file.seek(os.path.getsize(largest) // 2)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))

    def test_a_damaged_file_is_not_shown_as_if_it_were_whole(self):
        content = os.urandom(12_000_000)
        with open(os.path.join(self.tree, "large"), "wb") as file:
            file.write(content)
        self.snapshot()
        self.damage_largest_pack()
        shown = subprocess.run(self.command("cat", "share", "large"), capture_output=True,
                               check=False)
        self.assertEqual(shown.returncode, 1)
        self.assertIn(b"does not open", shown.stderr)
        self.assertLess(len(shown.stdout), len(content))
        self.assertEqual(shown.stdout, content[:len(shown.stdout)])

    def test_a_locked_system_is_counted_and_told_but_not_looked_into(self):
        self.snapshot()
        found = self.good("find", "*", "--json").json()
        self.good("system", "add", self.node.write(
            "vaulted.toml", 'name = "vaulted"\ntitle = "V"\nsupplier = "S"\nopening_keys = "locked"\n'
            f'[[source]]\nname = "x"\nkind = "files"\npath = "{self.tree}"\n'))
        vaulted = self.good("snapshot", "vaulted", "--json").json()
        for words in (("ls", "vaulted"), ("tar", "vaulted"), ("cat", "vaulted", "share"),
                      ("diff", "share", "vaulted")):
            outcome = self.node.run(*words)
            self.assertEqual(outcome.code, 1, words)
            self.assertIn("is locked: unlock the domain", outcome.err)
        outcome = self.node.run("find", "*", "--json")
        self.assertEqual((outcome.code, outcome.json()), (3, found))
        self.assertIn("locked (holdfast recovery unlock): 1 of 2 snapshots", outcome.err)
        counted = self.good("stats", "vaulted", "--json").json()["systems"][0]
        self.assertEqual((counted["locked"], counted["sources"]), (True, []))
        self.assertEqual(counted["unique_bytes"], vaulted["new_bytes"])

    def test_what_is_kept_is_counted(self):
        first = self.snapshot()
        self.node.write("tree/late", "more than before")
        second = self.snapshot()
        self.good("snapshot", "--path", os.path.join(self.tree, "share"), "part")
        counted = self.good("stats", "--json").json()
        self.assertEqual([one["system"] for one in counted["systems"]], ["part", "share"])
        share = counted["systems"][1]
        self.assertEqual(share["snapshots"], 2)
        self.assertEqual(share["logical_bytes"], first["bytes"] + second["bytes"])
        self.assertEqual(share["unique_bytes"], first["new_bytes"] + second["new_bytes"])
        self.assertEqual(share["stored_bytes"], first["stored_bytes"] + second["stored_bytes"])
        self.assertEqual([(one["entries"], one["logical_bytes"]) for one in share["sources"]],
                         [(second["entries"], second["bytes"])])
        packs = self.node.objects("pack")
        self.assertEqual(counted["all"]["packs"], len(packs))
        self.assertEqual(counted["all"]["stored_bytes"], sum(map(os.path.getsize, packs)))
        os.remove(os.path.join(self.node.home, "state/index.db"))
        self.assertEqual(self.good("stats", "--json").json(), counted)
        self.assertEqual(self.good("stats", "share", "--json").json()["systems"], [share])
        self.assertEqual(self.node.run("stats", "nothing").code, 1)
        by_source = self.good("stats", "share", "--by-source", "--json").json()["systems"][0]
        only = by_source["sources"][0]
        self.assertEqual(only["unique_bytes"], share["unique_bytes"])
        self.assertTrue(0 < only["stored_bytes"] < share["stored_bytes"], only)

    def test_what_each_source_takes_is_counted(self):
        text = ('name = "two"\ntitle = "Two"\n[[source]]\nname = "tree"\nkind = "files"\n'
                f'path = "{self.tree}"\n[[source]]\nname = "words"\nkind = "command"\n'
                'command = ["/usr/bin/seq", "LAST"]\n')
        for last in ("1000", "2000"):
            self.node.write("home/systems/two.toml", text.replace("LAST", last))
            self.good("snapshot", "two")
        two = self.good("stats", "two", "--by-source", "--json").json()["systems"][0]
        tree, words = two["sources"]
        printed = len("".join(f"{i}\n" for i in range(1, 1001)))
        self.assertGreaterEqual(words["unique_bytes"], printed)
        self.assertEqual(words["chunks"], 2)
        self.assertEqual(tree["unique_bytes"] + words["unique_bytes"], two["unique_bytes"])
        self.assertIn("in all snapshots", self.good("stats", "two", "--by-source").out)

    def command(self, *arguments):
        return [HOLDFAST, "--home", self.node.home, *arguments]

    def listed(self, snapshot):
        return self.good("ls", snapshot, "--all", "--json").json()


if __name__ == "__main__":
    unittest.main(verbosity=2)
