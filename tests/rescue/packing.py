"""Sections 1, 5, 6 and 7 of docs/vault-format.md as a writer has them: hashes, keys, epochs, packs.

Written from the text alone, for the tests of the reader; the plain reading of the text goes before
speed (T is the recursive definition). Wrong values are written as willingly as right ones.
"""
from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from array import array
from dataclasses import dataclass, field
from typing import Any

import nacl.bindings as sodium
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

ZEROS = bytes(32)
DATA, META, REFS, INDEX, DIRECTORY, LEDGER = 1, 2, 3, 4, 5, 6
NOW = 1_700_000_000_000


def blake(message: bytes, key: bytes = b"") -> bytes:
    return hashlib.blake2b(message, digest_size=32, key=key).digest()


def H(tag: str, message: bytes) -> bytes:
    return blake(b"holdfast/1/" + tag.encode() + b"\0" + message)


def K(key: bytes, tag: str, message: bytes) -> bytes:
    return blake(b"holdfast/1/" + tag.encode() + b"\0" + message, key)


def T(leaves: list[bytes]) -> bytes:
    if not leaves:
        return ZEROS
    if len(leaves) == 1:
        return blake(b"\0" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return blake(b"\1" + T(leaves[:split]) + T(leaves[split:]))


def varint(n: int) -> bytes:
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def svarint(n: int) -> bytes:
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def blob(data: bytes) -> bytes:
    return varint(len(data)) + data


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def to_json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


@dataclass(frozen=True)
class SigningKey:
    seed: bytes = field(default_factory=lambda: os.urandom(32))

    @property
    def public(self) -> bytes:
        return bytes(sodium.crypto_sign_seed_keypair(self.seed)[0])

    def sign(self, message: bytes) -> bytes:
        secret = sodium.crypto_sign_seed_keypair(self.seed)[1]
        return bytes(sodium.crypto_sign(message, secret)[:64])


@dataclass(frozen=True)
class BoxKey:
    secret: bytes = field(default_factory=lambda: os.urandom(32))

    @property
    def public(self) -> bytes:
        return bytes(sodium.crypto_scalarmult_base(self.secret))


def wrap(tag: str, context: bytes, secret: bytes, recipient: bytes) -> bytes:
    return bytes(sodium.crypto_box_seal(H(tag, context) + secret, recipient))


def split_16(content: bytes) -> bytes:
    """Filter 1."""
    samples = array("H", content[: len(content) // 2 * 2])
    deltas = ((s - b + 32768) % 65536 - 32768 for s, b in zip(samples, [0, *samples[:-1]]))
    raw = array("H", (2 * d if d >= 0 else -2 * d - 1 for d in deltas)).tobytes()
    return raw[0::2] + raw[1::2] + content[len(raw) :]


def encode(content: bytes, codec: int, number: int) -> bytes:
    filtered = content
    if number == 1:
        filtered = split_16(content)
    elif number == 2:
        filtered = content[:1] + split_16(content[1:])
    payload = zstandard.ZstdCompressor(level=3).compress(filtered) if codec == 1 else filtered
    return bytes([codec, number]) + payload


@dataclass
class Domain:
    id: bytes = field(default_factory=lambda: os.urandom(32))
    opening: BoxKey = field(default_factory=BoxKey)
    naming: bytes = field(default_factory=lambda: os.urandom(32))


@dataclass
class Epoch:
    domain: Domain
    content_key: bytes = field(default_factory=lambda: os.urandom(32))
    map_key: bytes = field(default_factory=lambda: os.urandom(32))

    @property
    def context(self) -> bytes:
        hashes = H("epoch content", self.content_key) + H("epoch map", self.map_key)
        return self.domain.id + hashes

    @property
    def id(self) -> bytes:
        return H("epoch", self.context)

    def object(self, node_box_key: bytes) -> bytes:
        wrapped = [
            (1, self.domain.opening.public, "epoch content", self.content_key),
            (2, self.domain.opening.public, "epoch map", self.map_key),
            (3, node_box_key, "epoch map", self.map_key)]
        out = b"HFEPO1\r\n" + self.domain.id + struct.pack("<q", NOW) + self.context[32:]
        out += bytes([len(wrapped)])
        for role, key, tag, secret in wrapped:
            out += bytes([role, 1]) + key + blob(wrap(tag, self.context, secret, key))
        return out + H("epoch object", out)


def seal(epoch: Epoch, kind: int, salt: bytes, cipher: int, n: int, chunk: bytes,
         plain: bytes) -> bytes:
    master = epoch.content_key if kind in (DATA, META) else epoch.map_key
    key = K(master, "segment", salt + bytes([kind]) + epoch.domain.id)
    aead: AESGCM | ChaCha20Poly1305 = AESGCM(key) if cipher == 1 else ChaCha20Poly1305(key)
    covered = b"holdfast/1/chunk\0" + epoch.domain.id + salt + bytes([kind])
    number = struct.pack("<Q", n)
    return bytes(aead.encrypt(bytes(4) + number, plain, covered + number + chunk))


class Segment:
    def __init__(self, epoch: Epoch, kind: int, cipher: int) -> None:
        self.epoch, self.kind, self.cipher = epoch, kind, cipher
        self.salt = os.urandom(16)
        self.chunks: list[tuple[bytes, bytes, int]] = []

    def add(self, content: bytes, codec: int = 1, number: int = 0,
            encoded: bytes | None = None, name: bytes | None = None) -> bytes:
        naming = K(self.epoch.domain.naming, "chunk id", bytes([self.kind]))
        chunk = name or blake(content, naming)
        plain = encode(content, codec, number) if encoded is None else encoded
        sealed = seal(self.epoch, self.kind, self.salt, self.cipher, len(self.chunks), chunk, plain)
        self.chunks.append((chunk, sealed, len(content)))
        return chunk

    def directory(self) -> bytes:
        out = self.epoch.domain.id + self.epoch.id + self.salt + bytes([self.cipher, self.kind])
        out += varint(len(self.chunks))
        return out + b"".join(c + varint(len(s)) + varint(n) for c, s, n in self.chunks)


def directory_size(size_class: int) -> int:
    size: int = 4096 << size_class // 2
    return size * 3 // 2 if size_class % 2 else size


def is_pack_length(length: int) -> bool:
    exponent = length.bit_length() - 1
    free = exponent - exponent.bit_length()
    return length >= 65536 and length % (1 << free) == 0


class Pack:
    def __init__(self, epoch: Epoch, cipher: int = 1) -> None:
        self.epoch, self.cipher = epoch, cipher
        self.salt = os.urandom(16)
        self.segments: list[Segment] = []
        self.directory = b""
        self.length = 0
        self.padding = 0

    def segment(self, kind: int, cipher: int = 1, epoch: Epoch | None = None) -> Segment:
        self.segments.append(Segment(epoch or self.epoch, kind, cipher))
        return self.segments[-1]

    def sealed_bytes(self) -> int:
        return sum(len(s) for segment in self.segments for _, s, _ in segment.chunks)

    def finish(self, fill: bytes = b"\0", trailing: int = 0, version: int = 1,
               pad: bytes = b"\0") -> bytes:
        """The pack's bytes; the arguments are for tests that want them wrong."""
        listed = b"".join(segment.directory() for segment in self.segments)
        head = bytes([version]) + varint(len(self.segments)) + listed
        size_class = next(c for c in range(25) if directory_size(c) >= len(head) + 4 + 16)
        bare = 16 + self.sealed_bytes() + directory_size(size_class) + 64
        self.padding = 0
        while not is_pack_length(bare + self.padding):
            self.padding = max(16, self.padding + 1)
        self.padding += trailing
        self.directory = head + varint(self.padding)
        size = directory_size(size_class)
        plain = self.directory + fill * (size - 16 - len(self.directory))
        out = b"HFPACK1\n" + bytes(8)
        out += b"".join(s for segment in self.segments for _, s, _ in segment.chunks)
        if self.padding:
            out += seal(self.epoch, DIRECTORY, self.salt, self.cipher, 1, ZEROS,
                        pad * (self.padding - 16))
        out += seal(self.epoch, DIRECTORY, self.salt, self.cipher, 0, ZEROS, plain)
        out += self.epoch.id + self.salt + bytes([self.cipher, size_class]) + bytes(6)
        out += b"HFPACKE\n"
        self.length = len(out)
        return out


def pack_name(data: bytes) -> bytes:
    leaves = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    return H("pack", struct.pack("<Q", len(data)) + T(leaves))
