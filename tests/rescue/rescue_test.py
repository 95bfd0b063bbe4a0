"""Restores what the writer of make_vault.py wrote, and compares it with what was there."""
from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from fixture import Fixture, describe, run, write  # noqa: E402
from make_vault import Entry  # noqa: E402
from packing import T  # noqa: E402


class RestoreTest(unittest.TestCase):
    fixture: Fixture

    @classmethod
    def setUpClass(cls) -> None:
        cls.maxDiff = None
        cls.fixture = Fixture()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.fixture.remove()

    def setUp(self) -> None:
        self.to = tempfile.mkdtemp(prefix="to-", dir=self.fixture.folder)

    def succeed(self, *arguments: str) -> str:
        status, out, err = self.fixture.run(*arguments)
        self.assertEqual((status, out, err), (0, out, err))
        return out

    def test_list_shows_every_snapshot(self) -> None:
        lines = self.succeed("list").splitlines()
        self.assertEqual(len(lines), 4)
        self.assertIn(self.fixture.first.hex(), lines[1])
        self.assertIn("2023-11-14T22:13:20Z", lines[1])
        self.assertTrue(lines[3].startswith("lab "))

    def test_verify_accepts_the_vault_and_each_snapshot(self) -> None:
        self.assertIn("verified: 3 snapshots", self.succeed("verify"))
        self.assertIn("verified: 1 snapshots", self.succeed("verify", self.fixture.first.hex()))

    def test_one_source_goes_straight_into_the_folder(self) -> None:
        self.succeed("restore", self.fixture.first.hex()[:12], "--to", self.to)
        self.assertEqual(describe(self.to), describe(self.fixture.tree))

    def test_several_sources_get_a_folder_each(self) -> None:
        to = os.path.join(self.to, "new", "folder")
        self.succeed("restore", "--latest", "mail", "--to", to)
        self.assertEqual(describe(to + "/home"), describe(self.fixture.tree))
        self.assertEqual(describe(to + "/db"), describe(self.fixture.second))

    def test_holes_stay_holes(self) -> None:
        self.succeed("restore", self.fixture.first.hex(), "--to", self.to)
        info = os.stat(os.path.join(self.to, "holes, parts"))
        self.assertEqual(info.st_size, 5 << 20)
        self.assertLess(info.st_blocks * 512, 1 << 20)

    def test_the_pack_without_padding_is_one(self) -> None:
        self.assertEqual((self.fixture.full.padding, self.fixture.full.length), (0, 65536))

    def test_a_folder_that_holds_something_is_refused(self) -> None:
        write(os.path.join(self.to, "mine"), b"")
        status, _, err = self.fixture.run("restore", "--latest", "mail", "--to", self.to)
        self.assertEqual((status, os.listdir(self.to)), (1, ["mine"]))
        self.assertIn("is not empty", err)

    def test_a_wrong_passphrase_is_refused(self) -> None:
        wrong = os.path.join(self.to, "wrong")
        write(wrong, b"nine blue heron\n")
        status, _, err = run("--kit", self.fixture.kit, "--passphrase-file", wrong,
                             self.fixture.vault, "list")
        self.assertEqual(status, 1)
        self.assertIn("the passphrase is wrong", err)

    def share_files(self, *numbers: int) -> list[str]:
        fixture, files = self.fixture, []
        for number in numbers:
            key = os.path.join(self.to, f"key {number}")
            write(key, base64.b64encode(fixture.custodians[number - 1].secret) + b"\n")
            trust = fixture.writer.trust.hex()
            status, out, err = run("share", "--trust", trust, "--key", key, fixture.vault)
            self.assertEqual((status, err), (0, ""))
            files.append(os.path.join(self.to, f"share {number}"))
            write(files[-1], out.encode())
        return files

    def test_custodians_replace_a_lost_kit(self) -> None:
        for numbers in ((1, 2, 3), (5, 2, 4), (1, 2, 3, 4, 5)):
            status, out, err = run("combine", "--share", *self.share_files(*numbers))
            self.assertEqual((status, err), (0, ""))
            kit = os.path.join(self.to, "kit")
            write(kit, out.encode())
            status, out, err = run("--kit", kit, self.fixture.vault, "list")
            self.assertEqual((status, err, len(out.splitlines())), (0, "", 4))

    def test_too_few_or_wrong_shares_are_refused(self) -> None:
        files = self.share_files(1, 2, 3)
        status, _, err = run("combine", "--share", *files[:2], files[0])
        self.assertEqual(status, 1)
        self.assertIn("2 shares are here, 3 are needed", err)
        with open(files[2], encoding="ascii") as file:
            share = json.load(file)
        write(files[2], json.dumps(share | {"number": 4}).encode())
        _, out, _ = run("combine", "--share", *files)
        kit = os.path.join(self.to, "kit")
        write(kit, out.encode())
        status, _, err = run("--kit", kit, self.fixture.vault, "list")
        self.assertEqual(status, 1)
        self.assertIn("is not of this trust's roster", err)

    def test_what_a_later_chain_says_of_the_one_before_is_compared(self) -> None:
        fixture = self.fixture
        old, length = fixture.writer.chain, len(fixture.writer.envelopes)
        root = T(fixture.writer.envelopes)
        for number, said, status in ((length - 1, root, 0), (length, root, 3), (length - 1, old, 3)):
            with fixture.copied() as w:
                w.chain, w.envelopes = os.urandom(32), []
                w.chain_entry({"type": "open", "node": "node-a", "name": "node-a", "after": {
                    "chain": old.hex(), "number": number, "root": said.hex()}})
                code, _, err = fixture.run("list", vault=w.root)
            self.assertEqual(code, status, err)
            self.assertEqual(old.hex() in err, status == 3, err)

    def test_forgotten_snapshots_are_left_out_by_a_clear_body_alone(self) -> None:
        fixture = self.fixture
        for sealed_by, forgotten in ((None, True), (fixture.epoch, False)):
            with fixture.copied() as w:
                gone = w.snapshot("gone", fixture.epoch, {"db": fixture.second}, False)
                w.snapshot("stays", fixture.epoch, {"db": fixture.second}, False)
                w.chain_entry({"type": "forget", "snapshots": [gone.hex()]}, sealed_by=sealed_by)
                code, out, err = fixture.run("list", vault=w.root)
                refused, _, _ = fixture.run("restore", gone.hex(), "--to", self.to, vault=w.root)
            self.assertEqual(code, 0, err)
            self.assertIn("stays", out)
            self.assertEqual(gone.hex() not in out, forgotten)
            self.assertEqual(refused != 0, forgotten)

    def test_keep_going_leaves_out_only_what_is_damaged(self) -> None:
        def break_sizes(entries: list[Entry]) -> None:
            next(e for e in entries if e.path == b"a/b/first").size += 1
        vault, name = self.fixture.with_snapshot(break_sizes)
        status, _, err = self.fixture.run("restore", name, "--to", self.to, "--keep-going",
                                          vault=vault)
        self.assertEqual(status, 3)
        expected, found = describe(self.fixture.tree), describe(self.to)
        self.assertEqual(expected.keys() - found.keys(), {b"a/b/first", b"second"})
        self.assertEqual({path: expected[path] for path in found}, found)
        self.assertEqual(err.count("left out"), 2)


if __name__ == "__main__":
    unittest.main()
