"""What a ledger entry needs is on disk before the entry is: also what a killed process left behind.

A killed process loses nothing of what the kernel has; a machine that loses power does. So a library
(sync_log.c) writes down what is renamed, made and synced, by all processes in order, and the test
asks at each ledger entry which names a loss of power could still take."""
import os
import unittest

from node import Node, change_tree, make_tree, was_killed

SYNC_LOG = os.environ["HOLDFAST_SYNC_LOG_LIBRARY"]
KINDS = ("epoch", "pack", "list", "ledger", "domain", "roster")


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


class DurabilityTest(unittest.TestCase):
    def start_anew(self):
        """Another node, whose vault nobody has written to."""
        self.node = Node()
        self.addCleanup(self.node.close)
        self.tree = self.node.path("tree")
        make_tree(self.tree, notes=5)
        self.log = self.node.path("sync.log")

    def snapshot(self, fault=None):
        return self.node.run("snapshot", "--path", self.tree, "share", fault=fault,
                             env={"LD_PRELOAD": SYNC_LOG, "HOLDFAST_SYNC_LOG": self.log})

    def read(self, *name):
        with open(os.path.join(self.node.vault, *name), "rb") as file:
            return file.read()

    def list_needs(self, name):
        """The list, its bases, and its packs."""
        data = self.read("list", name[:2], name)
        needs, base = {f"list/{name[:2]}/{name}"}, data[8:40].hex()
        removed, at = varint(data, 40)
        added, at = varint(data, at + 32 * removed)
        for i in range(added):
            pack = data[at + 32 * i : at + 32 * i + 32].hex()
            needs.add(f"pack/{pack[:2]}/{pack}")
        return needs | (self.list_needs(base) if int(base, 16) else set())

    def entry_needs(self, entry):
        data, needs = self.read(entry), {entry}
        list_id = data[120:152].hex()
        if int(list_id, 16):
            needs |= self.list_needs(list_id)
        if data[284] == 1:
            needs.add("epoch/" + data[285:317].hex())
        needs |= {"domain/" + name for name in os.listdir(os.path.join(self.node.vault, "domain"))}
        folders = {os.path.dirname(name) for name in needs}
        return needs | folders | {os.path.dirname(folder) for folder in folders} - {""}

    def check_log(self, point):
        """Replays the log: nothing that an entry needs is unsynced when the entry appears."""
        unsynced, entries = set(), 0
        with open(self.log, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(" ", 1) for line in file]
        for what, path in lines:
            if not path.startswith(self.node.vault):
                continue
            name = os.path.relpath(path, self.node.vault)
            if what == "fsync":
                unsynced = {n for n in unsynced if (os.path.dirname(n) or ".") != name}
                continue
            if name.startswith("ledger/") and what == "rename":
                entries += 1
                lost = unsynced & self.entry_needs(name) - {name}
                self.assertEqual(lost, set(), f"point {point}: could be lost behind {name}")
            if name.split("/")[0] in KINDS and what in ("rename", "mkdir"):
                unsynced.add(name)
        return entries

    def test_a_snapshot_stands_on_what_is_durable_whatever_was_killed_before(self):
        point, killed = 0, True
        while killed:
            point += 1
            self.start_anew()
            killed = was_killed(self.snapshot(fault=point))
            change_tree(self.tree, point)
            again = self.snapshot()
            self.assertEqual(again.code, 0, again.err)
            self.assertGreaterEqual(self.check_log(point), 1)
        print(f"fault points tried: {point - 1}")
        self.assertGreater(point, 20)


if __name__ == "__main__":
    unittest.main(verbosity=1)
