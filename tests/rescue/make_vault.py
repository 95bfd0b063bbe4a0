"""A minimal writer of vaults, written from docs/vault-format.md alone, for the tests of the reader.

It writes whole small vaults of real folders, the format's rarer forms chosen by file names, and
lets a test write what no Holdfast would: records, chain entries and the `edit` of a snapshot take
wrong values as willingly as right ones. Every secret is random and kept on the Writer.
"""
from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import nacl.bindings as sodium
import nacl.pwhash
from packing import (DATA, INDEX, LEDGER, META, NOW, REFS, ZEROS, BoxKey, Domain, Epoch, H, K, Pack,
                     Segment, SigningKey, T, b64, blake, blob, pack_name, seal, svarint, to_json,
                     varint, wrap)

PASSPHRASE = "nine blue herons"


@dataclass
class Entry:
    path: bytes
    type: str
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    ctime: int = 0
    inode: int = 1
    size: int = 0
    hard_link: int = 0
    device: int = 0
    target: bytes = b""
    xattrs: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytes = b"\0"

    def encoded(self, before: bytes) -> bytes:
        shared = len(os.path.commonprefix([before, self.path]))
        out = varint(shared) + blob(self.path[shared:]) + self.type.encode()
        out += varint(self.mode) + varint(self.uid) + varint(self.gid) + blob(b"u") + blob(b"g")
        out += svarint(self.mtime) + svarint(self.ctime - self.mtime) + varint(self.inode)
        out += varint(self.size) + varint(self.hard_link)
        out += varint(self.device) if self.type in "cb" else b""
        out += blob(self.target) if self.type == "l" else b""
        return out + varint(len(self.xattrs)) + b"".join(blob(n) + blob(v) for n, v in self.xattrs)


def whole(length: int, chunk: bytes) -> bytes:
    return varint(length) + b"\1" + chunk


def part_of(length: int, chunk: bytes, skip: int) -> bytes:
    return varint(length) + b"\2" + chunk + varint(skip)


def same_chunk(length: int, skip: int) -> bytes:
    return varint(length) + b"\3" + varint(skip)


def extents(items: list[bytes]) -> bytes:
    return varint(len(items)) + b"".join(items)


def scan(root: bytes) -> list[Entry]:
    """The entries of a folder in path order, without their contents."""
    paths = [b""]
    for folder, folders, files in os.walk(root):
        inner = os.path.relpath(folder, root)
        paths += [os.path.normpath(os.path.join(inner, name)) for name in folders + files]
    entries = []
    for path in sorted(paths, key=lambda path: path.replace(b"/", b"\0")):
        full = os.path.join(root, path)
        info = os.lstat(full)
        kinds = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p",
                 stat.S_IFSOCK: "s", stat.S_IFCHR: "c", stat.S_IFBLK: "b"}
        kind = kinds[stat.S_IFMT(info.st_mode)]
        names = os.listxattr(full, follow_symlinks=False)
        entries.append(Entry(
            path, kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, info.st_mtime_ns,
            info.st_ctime_ns, info.st_ino, info.st_size,
            info.st_ino if kind != "d" and info.st_nlink > 1 else 0,
            info.st_rdev, os.readlink(full) if kind == "l" else b"",
            [(n.encode(), os.getxattr(full, n, follow_symlinks=False)) for n in sorted(names)]))
    return entries


Edit = Callable[[list[Entry]], None]


class Writer:
    """One trust with one node, writing one vault."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.trust_keys = [SigningKey() for _ in range(3)]
        self.trust = H("trust", self.trust_keys[0].public)
        self.recovery, self.node_box, self.ledger_key = BoxKey(), BoxKey(), SigningKey()
        self.chain = os.urandom(32)
        self.envelopes: list[bytes] = []
        self.known: set[bytes] = set()
        self.list, self.listed = ZEROS, set[bytes]()
        self.put("format", b"holdfast vault 1\n")

    def path(self, name: str) -> str:
        return os.path.join(self.root, name)

    def put(self, name: str, data: bytes) -> None:
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)

    # -- records

    def record(self, kind: str, number: int, body: dict[str, Any], signer: SigningKey) -> bytes:
        text, tail = to_json(body), ZEROS + struct.pack("<Q", number)
        signed = b"holdfast/1/" + kind.encode() + b"\0" + signer.public + tail + text
        return (b"HFREC1\r\n" + blob(kind.encode()) + tail + struct.pack("<I", len(text)) + text
                + b"\1" + signer.public + signer.sign(signed))

    def put_roster(self, number: int, key: int, before: bytes = b"", **changes: Any) -> bytes:
        node = {"name": "node-a", "state": "active", "ledger_key": self.ledger_key.public.hex(),
                "box_key": self.node_box.public.hex(), "link_key": os.urandom(32).hex(),
                "tls_key": os.urandom(32).hex()}
        body = {"trust": self.trust.hex(), "name": "Tidewater", "number": number, "time": NOW,
                "previous": (H("record", before) if before else ZEROS).hex(),
                "trust_key": self.trust_keys[key].public.hex(),
                "next_trust_key_hash": H("trust key", self.trust_keys[key + 1].public).hex(),
                "recovery_key": self.recovery.public.hex(), "nodes": [node], "officers": []}
        data = self.record("roster", number, body | changes, self.trust_keys[key])
        self.put(f"roster/{number:016x}", data)
        return data

    def put_domain(self, domain: Domain, **changes: Any) -> None:
        body = {"domain": domain.id.hex(), "name": "records", "time": NOW, "opening_keys": "locked",
                "opening_key": domain.opening.public.hex(),
                "opening_wrapped": b64(wrap("domain opening", domain.id, domain.opening.secret,
                                            self.recovery.public)),
                "naming_wrapped": b64(wrap("domain naming", domain.id, domain.naming,
                                           self.recovery.public)),
                "features_required": [], "features_optional": ["pictures"]}
        self.put(f"domain/{domain.id.hex()}",
                 self.record("domain", 1, body | changes, self.ledger_key))

    def put_custody(self, custodians: list[BoxKey], shares: list[bytes], threshold: int) -> None:
        made = [{"custodian": f"custodian {i}", "key": custodian.public.hex(), "number": i,
                 "wrapped": b64(wrap("custody share", self.trust + bytes([i]), share,
                                     custodian.public))}
                for i, (custodian, share) in enumerate(zip(custodians, shares), 1)]
        body = {"scheme": "shamir-gf256", "threshold": threshold, "time": NOW, "shares": made}
        self.put(f"custody/{1:016x}", self.record("custody", 1, body, self.trust_keys[1]))

    def kit(self) -> bytes:
        salt, nonce = os.urandom(16), os.urandom(24)
        key = nacl.pwhash.argon2id.kdf(32, PASSPHRASE.encode(), salt, 1, 8192)
        secrets = {"trust_secret": b64(self.trust_keys[1].seed),
                   "next_trust_secret": b64(self.trust_keys[2].seed),
                   "recovery_secret": b64(self.recovery.secret)}
        sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            to_json(secrets), b"holdfast/1/kit\0" + self.trust, nonce, key)
        return to_json({
            "holdfast": "recovery kit 1", "trust": self.trust.hex(), "name": "Tidewater",
            "time": NOW, "nonce": b64(nonce), "sealed": b64(sealed), "partners": [],
            "kdf": {"algorithm": "argon2id13", "operations": 1, "memory_bytes": 8192,
                    "salt": b64(salt)}})

    def epoch(self, domain: Domain) -> Epoch:
        epoch = Epoch(domain)
        self.put(f"epoch/{epoch.id.hex()}", epoch.object(self.node_box.public))
        return epoch

    def put_pack(self, data: bytes) -> bytes:
        name = pack_name(data)
        self.put(f"pack/{name.hex()[:2]}/{name.hex()}", data)
        return name

    # -- lists and ledger

    def put_list(self, packs: set[bytes], base: bytes = ZEROS,
                 base_packs: set[bytes] = frozenset()) -> bytes:  # type: ignore[assignment]
        name = H("list", struct.pack("<Q", len(packs)) + T(sorted(packs)))
        data = b"HFLIST1\n" + base
        for part in (base_packs - packs, packs - base_packs):
            data += varint(len(part)) + b"".join(sorted(part))
        self.put(f"list/{name.hex()[:2]}/{name.hex()}", data)
        return name

    def chain_entry(self, body: dict[str, Any], name: bytes = ZEROS, sealed_by: Epoch | None = None,
                    signer: SigningKey | None = None, cipher: int = 1) -> bytes:
        number = len(self.envelopes)
        text = b"\0" + to_json(body)
        if sealed_by is not None:
            salt = os.urandom(16)
            sealed = seal(sealed_by, LEDGER, salt, cipher, number, self.chain, to_json(body))
            text = b"\1" + sealed_by.id + salt + bytes([cipher]) + sealed
        signer = signer or self.ledger_key
        previous = T(self.envelopes)
        envelope = b"HFLEDG1\n" + self.trust + self.chain + struct.pack("<Qq", number, NOW)
        envelope += previous + name + H("ledger body", text) + struct.pack("<I", len(text))
        envelope += signer.public
        envelope += signer.sign(b"holdfast/1/ledger entry\0" + envelope)
        assert len(envelope) == 284
        self.put(f"ledger/{self.chain.hex()}/{number:016x}", envelope + text)
        self.envelopes.append(envelope)
        return blake(b"\0" + envelope)

    # -- snapshots

    def contents(self, root: bytes, entries: list[Entry], segments: list[Segment],
                 refs: Segment) -> None:
        """Cuts files at their holes and every 20000 bytes; names choose the rarer forms."""
        done: set[int] = set()
        for entry in entries:
            if entry.type != "f" or entry.hard_link in done:
                continue
            if entry.hard_link:
                done.add(entry.hard_link)
            with open(os.path.join(root, entry.path), "rb") as file:
                entry.content = self.content(entry, file.fileno(), segments, refs)

    def content(self, entry: Entry, fd: int, segments: list[Segment], refs: Segment) -> bytes:
        name, items, lengths, at = os.path.basename(entry.path), [], [], 0
        codec, number = 1, 0
        if b"wave" in name:
            number = 2 if entry.size % 2 else 1
        if b"random" in name:
            codec = 0
        while at < entry.size:
            try:
                start = os.lseek(fd, at, os.SEEK_DATA)
            except OSError:
                start = entry.size
            if start > at:
                items.append(varint(start - at) + b"\0")
                lengths.append(start - at)
                at = start
                continue
            end = min(os.lseek(fd, at, os.SEEK_HOLE), at + 20000)
            piece = os.pread(fd, end - at, at)
            segment = segments[len(items) % len(segments)]
            if b"three" in name:  # stored with its halves swapped, in the middle of a chunk
                half = len(piece) // 2
                stored = b"before" + piece[half:] + piece[:half] + b"behind"
                chunk = self.add(segment, stored, codec, number)
                items.append(part_of(half, chunk, 6 + len(piece) - half))
                items.append(same_chunk(len(piece) - half, 6))
                lengths += [half, len(piece) - half]
            else:
                items.append(whole(len(piece), self.add(segment, piece, codec, number)))
                lengths.append(len(piece))
            at = end
        if b"parts" not in name:
            return b"\1" + extents(items) if items else b"\0"
        parts = [(refs.add(extents(items[i : i + 2])), sum(lengths[i : i + 2]))
                 for i in range(0, len(items), 2)]
        return b"\2" + varint(len(parts)) + b"".join(c + varint(n) for c, n in parts)

    def add(self, segment: Segment, content: bytes, codec: int, number: int) -> bytes:
        name = blake(content, K(segment.epoch.domain.naming, "chunk id", bytes([segment.kind])))
        if name in self.known:
            return name
        self.known.add(name)
        return segment.add(content, codec, number)

    def tables(self, entries: list[Entry], meta: Segment,
               refs: Segment) -> tuple[list[bytes], list[bytes]]:
        """Leaves of 3 entries, tables of 2 leaves."""
        leaves = []
        for i in range(0, len(entries), 3):
            some = entries[i : i + 3]
            befores = [b"", *(entry.path for entry in some)]
            body = b"".join(entry.encoded(before) for entry, before in zip(some, befores))
            count = varint(len(some))
            leaves.append((
                meta.add(count + body) + count + blob(some[0].path)
                + varint(sum(entry.size for entry in some if entry.type == "f")),
                refs.add(count + b"".join(entry.content for entry in some)) + count))
        pairs = [leaves[i : i + 2] for i in range(0, len(leaves), 2)]
        return ([meta.add(varint(len(p)) + b"".join(m for m, _ in p)) for p in pairs],
                [refs.add(varint(len(p)) + b"".join(r for _, r in p)) for p in pairs])

    def snapshot(self, system: str, epoch: Epoch, sources: dict[str, str], seal_body: bool,
                 edit: Edit = lambda entries: None, data_pack: Pack | None = None,
                 removed: frozenset[bytes] = frozenset(), **manifest_changes: Any) -> bytes:
        """Three packs: data (in the index), metadata (not in it), manifest and index."""
        data_pack = data_pack or Pack(epoch, cipher=2)
        meta_pack, last = Pack(epoch), Pack(epoch)
        data = [data_pack.segment(DATA, 1), data_pack.segment(DATA, 2)]
        meta, refs = meta_pack.segment(META, 2), meta_pack.segment(REFS)
        maps, inners, entry_count, byte_count = [], [], 0, 0
        for name, folder in sources.items():
            entries = scan(folder.encode())
            self.contents(folder.encode(), entries, data, refs)
            edit(entries)
            size = sum(entry.size for entry in entries if entry.type == "f")
            meta_tables, refs_tables = self.tables(entries, meta, refs)
            maps.append({"meta_tables": [t.hex() for t in meta_tables],
                         "refs_tables": [t.hex() for t in refs_tables],
                         "entries": len(entries), "bytes": size})
            inners.append({"name": name, "kind": "folder", "place": folder, "facts": {}})
            entry_count, byte_count = entry_count + len(entries), byte_count + size
        packs = {self.put_pack(data_pack.finish()): data_pack}
        packs[self.put_pack(meta_pack.finish())] = meta_pack
        covered = next(iter(packs))
        index = last.segment(INDEX, 2).add(
            b"\1\1" + covered + varint(data_pack.length) + blob(data_pack.directory))
        inner = {"format": 1, "system": system, "time": NOW, "program": "make_vault",
                 "sources": inners, "plan": "[system]\n", "warnings": []}
        content = last.segment(META).add(to_json(inner))
        # The pack's own name is in its manifest: so the index lies in a pack written before.
        index_pack = self.put_pack(last.finish())
        top = Pack(epoch)
        outer = {"format": 1, "time": NOW, "content": content.hex(), "sources": maps,
                 "index": [{"pack": index_pack.hex(), "chunk": index.hex()}]}
        manifest = top.segment(REFS).add(to_json(outer | manifest_changes))
        top_pack = self.put_pack(top.finish())
        listed = (self.listed - removed) | set(packs) | {index_pack, top_pack}
        self.list = self.put_list(listed, self.list, self.listed)
        self.listed = listed
        body = {"type": "snapshot", "system": system, "time": NOW + len(self.envelopes),
                "domain": epoch.domain.id.hex(),
                "manifest": {"pack": top_pack.hex(), "map": manifest.hex()},
                "entries": entry_count, "bytes": byte_count, "new_bytes": byte_count,
                "stored_bytes": byte_count, "warnings": 0}
        return self.chain_entry(body, self.list, epoch if seal_body else None, cipher=2)
