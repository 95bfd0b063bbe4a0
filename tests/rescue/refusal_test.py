"""Damages, swaps and forges every kind of object, and expects the reader to refuse each."""
from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import unittest
from collections.abc import Callable

sys.dont_write_bytecode = True
from fixture import Fixture  # noqa: E402
from make_vault import Edit, Entry, Writer, extents, part_of, same_chunk, whole  # noqa: E402
from packing import (DATA, DIRECTORY, INDEX, META, Epoch, Pack, SigningKey, b64,  # noqa: E402
                     blob, encode, pack_name, varint, wrap)

STRIDE = 53  # of the bytes that are flipped in small objects; prime, so that all fields are met


class RefusalTest(unittest.TestCase):
    fixture: Fixture

    @classmethod
    def setUpClass(cls) -> None:
        cls.fixture = Fixture()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.fixture.remove()

    def refuse(self, why: str, *arguments: str, vault: str | None = None) -> None:
        status, out, err = self.fixture.run(*(arguments or ("verify",)), vault=vault)
        self.assertEqual((status, out), (1, ""), err)
        self.assertIn("refused: ", err)
        self.assertIn(why, err)

    def objects(self) -> dict[str, list[str]]:
        """The names of the vault's objects by kind, without those that no snapshot needs."""
        found: dict[str, list[str]] = {}
        for folder, _, files in os.walk(self.fixture.vault):
            for file in files:
                name = os.path.relpath(os.path.join(folder, file), self.fixture.vault)
                found.setdefault(name.split("/")[0], []).append(name)
        return {kind: sorted(names) for kind, names in found.items()}

    def replaced(self, name: str, data: bytes | None, why: str = "") -> None:
        """Refused while the object has other bytes, or none."""
        path = os.path.join(self.fixture.vault, name)
        os.rename(path, path + "~")
        try:
            if data is not None:
                with open(path, "wb") as file:
                    file.write(data)
            self.refuse(why)
        finally:
            os.rename(path + "~", path)

    def read(self, name: str) -> bytes:
        with open(os.path.join(self.fixture.vault, name), "rb") as file:
            return file.read()

    def flips(self, kind: str, data: bytes) -> set[int]:
        """Where to flip a byte: everything that the format protects, spread over all fields."""
        size = len(data)
        if kind == "pack":
            fields = {0, 7, 8, 15, 16, 17, size // 3, size // 2, size - 4096 - 65, size - 65}
            return fields | {size - 64 + at for at in (0, 31, 32, 47, 48, 49, 50, 55, 56, 63)}
        every = set(range(0, size, STRIDE)) | {size - 1}
        if kind == "epoch":  # neither `created` nor other people's recipients are protected
            every -= set(range(40, 48)) | set(range(size - 32 - 1 - 112 - 2, size))
        return every

    def test_any_flipped_byte_is_refused(self) -> None:
        for kind, names in self.objects().items():
            for name in names if kind != "pack" else names[:6]:
                data = self.read(name)
                for at in sorted(self.flips(kind, data)):
                    with self.subTest(name=name, at=at):
                        flipped = bytearray(data)
                        flipped[at] ^= 1 << at % 8
                        self.replaced(name, bytes(flipped))

    def test_cut_and_grown_objects_are_refused(self) -> None:
        for kind, names in self.objects().items():
            data = self.read(names[0])
            for other in (b"", data[:-1], data[: len(data) // 2], data + b"\0", data + data):
                with self.subTest(kind=kind, size=len(other)):
                    self.replaced(names[0], other)

    def test_swapped_objects_are_refused(self) -> None:
        for kind, names in self.objects().items():
            for one, two in zip(names, names[1:]):
                with self.subTest(kind=kind, one=one):
                    self.replaced(one, self.read(two))

    def test_missing_objects_are_refused(self) -> None:
        for kind, names in self.objects().items():
            if kind != "custody":  # which nothing refers to
                with self.subTest(kind=kind):
                    self.replaced(names[0], None)

    # -- well sealed, but wrong inside: entries

    def refuse_edit(self, why: str, edit: Edit) -> None:
        with self.subTest(why=why):
            vault, name = self.fixture.with_snapshot(edit)
            self.refuse(why, vault=vault)
            outer = tempfile.mkdtemp(dir=self.fixture.folder)
            self.refuse(why, "restore", name, "--to", os.path.join(outer, "to"), vault=vault)
            self.assertEqual(os.listdir(outer), ["to"])
            shutil.rmtree(vault)

    def test_paths_that_leave_the_source_are_refused(self) -> None:
        def last(path: bytes) -> Edit:
            return lambda entries: entries.append(Entry(path, "f"))

        def first(path: bytes) -> Edit:
            return lambda entries: entries.insert(1, Entry(path, "f"))

        not_below = "is not a path below the source's root"
        self.refuse_edit(not_below, first(b"../outside"))
        self.refuse_edit(not_below, first(b"/etc/outside"))
        self.refuse_edit(not_below, first(b"."))
        self.refuse_edit(not_below, last(b"\xff\xff/../../outside"))
        self.refuse_edit(not_below, last(b"\xff\xff//x"))
        self.refuse_edit(not_below, last(b"\xff\xff\0"))
        self.refuse_edit(not_below, last(b"\xff\xff/"))
        self.refuse_edit("is no folder that came before", last(b"\xff\xff/no such folder"))

    def test_entries_below_what_is_no_folder_are_refused(self) -> None:
        for name in (b"link", b"a.txt", b"pipe"):
            def insert(entries: list[Entry], name: bytes = name) -> None:
                at = next(i for i, entry in enumerate(entries) if entry.path == name)
                entries.insert(at + 1, Entry(name + b"/outside", "f"))
            self.refuse_edit("is no folder that came before", insert)

    def test_entries_out_of_order_or_twice_are_refused(self) -> None:
        def swap(entries: list[Entry]) -> None:
            entries[-1], entries[-2] = entries[-2], entries[-1]

        self.refuse_edit("is out of path order", swap)
        self.refuse_edit("is out of path order", lambda entries: entries.append(entries[-1]))
        self.refuse_edit("is not the root folder", lambda entries: entries.reverse())

    def test_contents_that_do_not_fit_are_refused(self) -> None:
        def change(path: bytes, **fields: object) -> Edit:
            def edit(entries: list[Entry]) -> None:
                entry = next(each for each in entries if each.path == path)
                for name, value in fields.items():
                    old = getattr(entry, name)
                    setattr(entry, name, value(old, entry) if callable(value) else value)
            return edit

        def chunk(content: bytes) -> bytes:
            return content[content.index(b"\1", 2) + 1 :][:32]

        def remade(make: Callable[[bytes, int], list[bytes]]) -> Edit:
            return change(b"a.txt", content=lambda old, entry: b"\1" + extents(
                make(chunk(old), entry.size)))

        self.refuse_edit("shorter than its size", change(b"a.txt", size=lambda n, _: n + 1))
        self.refuse_edit("longer than its size", change(b"a/three parts", size=lambda n, _: n - 1))
        self.refuse_edit("content that it cannot have", change(b"pipe", content=b"\1\1\1\0"))
        self.refuse_edit("content that it cannot have", change(b"second", content=b"\1\1\1\0"))
        self.refuse_edit("content of the unknown form", change(b"a.txt", content=b"\3"))
        self.refuse_edit("leaves its chunk", remade(lambda c, n: [part_of(n, c, 1)]))
        self.refuse_edit("not the whole chunk", remade(lambda c, n: [whole(n - 1, c)]))
        self.refuse_edit("is in no pack", remade(lambda c, n: [whole(n, bytes(32))]))
        self.refuse_edit("where there is none", remade(lambda c, n: [same_chunk(n, 0)]))
        self.refuse_edit("where there is none", remade(
            lambda c, n: [whole(n, c), b"\1\0", same_chunk(n, 0)]))
        self.refuse_edit("extent of the unknown form", remade(lambda c, n: [varint(n) + b"\4"]))
        self.refuse_edit("counts more than it holds", change(b"a.txt", content=b"\1\x7f"))
        self.refuse_edit("unknown type", change(b"pipe", type="x"))
        self.refuse_edit("mode with more", change(b"pipe", mode=0o10644))
        self.refuse_edit("owner over 32 bits", change(b"pipe", uid=1 << 32))
        self.refuse_edit("link to nowhere", change(b"link", target=b""))
        self.refuse_edit("cannot have hard links", change(b"empty folder", hard_link=7))
        self.refuse_edit("another type than its hard links", change(
            b"pipe", hard_link=os.stat(os.path.join(self.fixture.tree, "second")).st_ino))

    # -- well sealed, but wrong inside: packs

    def refuse_pack(self, why: str, *, alter: Callable[[bytes], bytes] = bytes, kind: int = DATA,
                    cipher: int = 1, trailing: int = 0, version: int = 1, fill: bytes = b"\0",
                    pad: bytes = b"\0", encoded: bytes | None = None,
                    name: bytes | None = None) -> None:
        with self.subTest(why=why):
            pack = Pack(self.fixture.epoch)
            segment = pack.segment(kind)
            segment.add(b"some content, some content", encoded=encoded, name=name)
            segment.cipher = cipher
            data = pack.finish(fill, trailing, version, pad)
            vault = self.fixture.with_packs(alter(data))
            self.refuse(why, vault=vault)
            shutil.rmtree(vault)

    def test_packs_that_break_the_format_are_refused(self) -> None:
        content = b"some content, some content"
        frame = encode(content, 1, 0)
        self.refuse_pack("unknown codec 2", encoded=b"\2\0" + content)
        self.refuse_pack("unknown filter 3", encoded=b"\0\3" + content)
        self.refuse_pack("is 27 bytes, not 26", encoded=b"\0\0" + content + b"!")
        self.refuse_pack("is not a zstd frame", encoded=b"\1\0" + content)
        self.refuse_pack("not exactly one zstd frame", encoded=frame + b"\0")
        self.refuse_pack("not exactly one zstd frame", encoded=frame + frame[2:])
        self.refuse_pack("not exactly one zstd frame", encoded=frame[:-1])
        self.refuse_pack("states another length", encoded=encode(content * 2, 1, 0))
        self.refuse_pack("its id is not its content's", name=bytes(32))
        self.refuse_pack("unknown kind 5", kind=DIRECTORY)
        self.refuse_pack("unknown kind 0", kind=0)
        self.refuse_pack("unknown cipher 3", cipher=3)
        self.refuse_pack("does not open", cipher=2)
        self.refuse_pack("directory: has an unknown version", version=2)
        self.refuse_pack("left over that are not zero", fill=b"\1")
        self.refuse_pack("bytes that should be zero", pad=b"\1")
        self.refuse_pack("not a Padmé length", trailing=1)

    def test_trailers_and_headers_that_break_the_format_are_refused(self) -> None:
        def put(at: int, value: bytes) -> Callable[[bytes], bytes]:
            def alter(data: bytes) -> bytes:
                start = at % len(data)
                return data[:start] + value + data[start + len(value) :]
            return alter

        self.refuse_pack("unknown header", alter=put(0, b"HFPACK2\n"))
        self.refuse_pack("unknown header", alter=put(8, b"\1"))
        self.refuse_pack("unknown magic or version", alter=put(-8, b"HFPACKF\n"))
        self.refuse_pack("bytes that should be zero", alter=put(-9, b"\1"))
        self.refuse_pack("unknown class 25", alter=put(-15, b"\x19"))
        self.refuse_pack("shorter than its directory", alter=put(-15, b"\x18"))
        self.refuse_pack("unknown cipher 0", alter=put(-16, b"\0"))
        self.refuse_pack("cannot be read", alter=put(-64, bytes(32)))
        self.refuse_pack("does not open", alter=put(-32, bytes(16)))
        self.refuse_pack("below 64 KiB", alter=lambda data: data[-65535:])
        self.refuse_pack("over 64 MiB", alter=lambda data: bytes(1 << 26) + data)

    def indexed(self, pack: bytes, directory: bytes) -> str:
        """A vault like this one with a pack, and an index that says so of its directory."""
        home, epoch = Pack(self.fixture.epoch), self.fixture.epoch
        told = pack_name(pack) + varint(len(pack)) + blob(directory)
        chunk = home.segment(INDEX).add(b"\1\1" + told)
        with self.fixture.copied() as w:
            at = w.put_pack(home.finish())
            w.listed = {w.put_pack(pack), at}
            w.list = w.put_list(w.listed)
            named = {"pack": at.hex(), "chunk": chunk.hex()}
            w.snapshot("edited", epoch, {"db": self.fixture.second}, False, index=[named])
            return w.root

    def test_an_index_that_tells_other_than_the_pack_is_refused(self) -> None:
        pack, other = Pack(self.fixture.epoch), Pack(self.fixture.epoch)
        pack.segment(DATA).add(b"told wrongly")
        other.segment(META).add(b"told wrongly")
        data = pack.finish()
        other.finish()
        self.refuse("its index tells other than pack", vault=self.indexed(data, other.directory))
        longer = pack.directory.removesuffix(varint(pack.padding)) + varint(pack.padding + 1)
        self.refuse("do not add up to the pack's", vault=self.indexed(data, longer))
        self.refuse("bytes left over", vault=self.indexed(data, pack.directory + b"\0"))

    # -- lists, ledger, records

    def test_lists_that_break_the_format_are_refused(self) -> None:
        ids = sorted(os.urandom(32) for _ in range(2))

        def listing(data: bytes) -> Callable[[Writer], object]:
            def write(w: Writer) -> None:
                w.put_list(set(ids))
                name = w.put_list(set(ids))
                w.put(f"list/{name.hex()[:2]}/{name.hex()}", b"HFLIST1\n" + data)
                w.chain_entry(self.body(), name)
            return write

        two = b"".join(ids)
        self.refuse_writing("is not sorted", listing(bytes(32) + b"\0\2" + ids[1] + ids[0]))
        self.refuse_writing("has an id twice", listing(bytes(32) + b"\0\3" + ids[0] + two))
        self.refuse_writing("removes what its base lacks",
                            listing(bytes(32) + b"\1" + bytes(32) + b"\2" + two))
        self.refuse_writing("its name is not its packs'", listing(bytes(32) + b"\0\1" + ids[0]))
        self.refuse_writing("bytes left over", listing(bytes(32) + b"\0\2" + two + b"\0"))

    def test_a_list_with_too_many_bases_is_refused(self) -> None:
        def write(w: Writer) -> None:
            packs: set[bytes] = set()
            name = bytes(32)
            for _ in range(34):
                before = packs
                packs = before | {os.urandom(32)}
                name = w.put_list(packs, name, before)
            w.chain_entry(self.body(), name)
        self.refuse_writing("over 32 bases", write)

    def body(self, **changes: object) -> dict[str, object]:
        nothing = "0" * 64
        body = {"type": "snapshot", "system": "edited", "time": 1, "entries": 0, "bytes": 0,
                "domain": self.fixture.domain.id.hex(),
                "manifest": {"pack": nothing, "map": nothing}}
        return body | changes

    def refuse_writing(self, why: str, write: Callable[[Writer], object]) -> None:
        with self.subTest(why=why):
            vault = self.fixture.with_writing(write)
            self.refuse(why, vault=vault)
            shutil.rmtree(vault)

    def test_a_ledger_that_breaks_the_format_is_refused(self) -> None:
        def gap(w: Writer) -> None:
            w.envelopes.append(bytes(284))
            w.chain_entry(self.body())

        def other_history(w: Writer) -> None:
            w.envelopes[0] = bytes(284)
            w.chain_entry(self.body())

        def off_list(w: Writer) -> None:
            packs = {os.urandom(32)}
            w.chain_entry(self.body(), w.put_list(packs))

        def other_chain(w: Writer) -> None:
            w.chain, w.envelopes = os.urandom(32), []
            w.chain_entry(self.body())

        self.refuse_writing("is missing", gap)
        self.refuse_writing("does not follow", other_history)
        self.refuse_writing("is not on the list", off_list)
        self.refuse_writing("a chain opens with entry 0", other_chain)
        self.refuse_writing("signed by no node", lambda w: w.chain_entry(
            self.body(), signer=SigningKey()))
        self.refuse_writing("needs 'system'", lambda w: w.chain_entry(self.body(system=1)))
        self.refuse_writing("hexadecimal", lambda w: w.chain_entry(self.body(domain="AB" * 32)))
        self.refuse_writing("cannot be read", lambda w: w.chain_entry(
            self.body(), sealed_by=Epoch(self.fixture.domain)))

    def test_records_that_break_the_format_are_refused(self) -> None:
        domain = self.fixture.domain
        self.refuse_writing("features that this program lacks", lambda w: w.put_domain(
            domain, features_required=["x"]))
        self.refuse_writing("its opening key is not", lambda w: w.put_domain(
            domain, opening_key="0" * 64))
        naming = wrap("domain naming", domain.id, bytes(32), self.fixture.writer.recovery.public)
        self.refuse_writing("wraps another secret", lambda w: w.put_domain(
            domain, opening_wrapped=b64(naming)))
        self.refuse_writing("unknown opening_keys", lambda w: w.put_domain(
            domain, opening_keys="both"))
        self.refuse_writing("signed by an active node", self.foreign_domain)

    def foreign_domain(self, w: Writer) -> None:
        ours, w.ledger_key = w.ledger_key, SigningKey()
        w.put_domain(self.fixture.domain)
        w.ledger_key = ours

    def test_rosters_that_break_their_chain_are_refused(self) -> None:
        two = self.read(f"roster/{2:016x}")

        def bad_signature(w: Writer) -> None:
            good = w.put_roster(3, 1, two)
            # Flipped, not zeroed: one signature in sixteen ends in a zero byte.
            w.put(f"roster/{3:016x}", good[:-1] + bytes([good[-1] ^ 1]))

        self.refuse_writing("has a signature", bad_signature)
        self.refuse_writing("not what the roster before promised", lambda w: w.put_roster(
            3, 0, two))
        self.refuse_writing("does not follow", lambda w: w.put_roster(3, 1, b"another"))
        self.refuse_writing("of another trust", lambda w: w.put_roster(3, 1, two, trust="0" * 64))
        self.refuse_writing("one before is missing", lambda w: w.put_roster(4, 1, two))
        self.refuse_writing("another number", lambda w: w.put(
            f"roster/{3:016x}", w.put_roster(4, 1, two)))

    def test_noise_never_ends_in_anything_but_a_refusal(self) -> None:
        """Random bytes behind each magic: no exception but Refused leaves the parsers."""
        noise = random.Random(7)
        magics = {"roster": b"HFREC1\r\n\6roster", "epoch": b"HFEPO1\r\n", "list": b"HFLIST1\n",
                  "ledger": b"HFLEDG1\n", "pack": b"HFPACK1\n", "domain": b"HFREC1\r\n\6domain"}
        names = self.objects()
        for kind, magic in magics.items():
            for _ in range(20):
                data = magic + noise.randbytes(noise.choice((1, 40, 300, 70000)))
                with self.subTest(kind=kind, data=data[:64]):
                    self.replaced(names[kind][0], data)


if __name__ == "__main__":
    unittest.main()
