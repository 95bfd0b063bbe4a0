"""The worked example of docs/vault-format.md (13), computed from the golden vault `locked` with nothing
but the primitives. Run as a program it prints the example's blocks, to be put into the text; as a
test it compares the two. It shares no code with the rescue reader or the program."""
import base64
import hashlib
import json
import os
import struct
import sys
import unittest

import nacl.bindings as sodium
import nacl.pwhash
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SOURCE = os.environ.get("HOLDFAST_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
GOLDEN = os.path.join(SOURCE, "tests/golden/locked")
HEX_A_LINE = 128
NAME_WIDTH = 22


def read(*name):
    with open(os.path.join(GOLDEN, *name), "rb") as file:
        return file.read()


def blake(data, key=b""):
    return hashlib.blake2b(data, digest_size=32, key=key).digest()


def H(tag, message):
    return blake(b"holdfast/1/" + tag.encode() + b"\0" + message)


def K(key, tag, message):
    return blake(b"holdfast/1/" + tag.encode() + b"\0" + message, key)


def T(leaves):
    """RFC 6962, recursively, as the notation says it."""
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return blake(b"\0" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return blake(b"\1" + T(leaves[:split]) + T(leaves[split:]))


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


def unwrap(tag, context, secret_key, wrapped):
    public = sodium.crypto_scalarmult_base(secret_key)
    opened = sodium.crypto_box_seal_open(wrapped, public, secret_key)
    assert opened[:32] == H(tag, context)
    return opened[32:]


def open_chunk(key, number, additional, sealed):
    return AESGCM(key).decrypt(bytes(4) + struct.pack("<Q", number), sealed, additional)


class Block(list):
    def add(self, name, value):
        text = value if isinstance(value, str) else value.hex()
        lines = [text[i : i + HEX_A_LINE] for i in range(0, len(text), HEX_A_LINE)]
        for i, line in enumerate(lines):
            self.append("    " + (f"{name:<{NAME_WIDTH}} " if i == 0 else " " * (NAME_WIDTH + 1)) + line)
        return value

    def __str__(self):
        return "\n".join(self) + "\n"


def recovery_key(block):
    kit = json.loads(read("kit.json"))
    kdf = kit["kdf"]
    key = nacl.pwhash.argon2id.kdf(32, read("passphrase.txt").rstrip(b"\n"), base64.b64decode(kdf["salt"]),
                                   kdf["operations"], kdf["memory_bytes"])
    additional = b"holdfast/1/kit\0" + bytes.fromhex(kit["trust"])
    sealed, nonce = base64.b64decode(kit["sealed"]), base64.b64decode(kit["nonce"])
    secrets = json.loads(sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, additional, nonce, key))
    block.add("passphrase", read("passphrase.txt").decode().strip())
    block.add("kit key", key)
    return block.add("recovery_secret", base64.b64decode(secrets["recovery_secret"]))


def domain_keys(block, domain, recovery):
    data = read("vault/domain", domain.hex())
    assert data[:8] == b"HFREC1\r\n"
    at = 8 + 1 + data[8] + 32 + 8
    length = struct.unpack_from("<I", data, at)[0]
    body = json.loads(data[at + 4 : at + 4 + length])
    block.add("domain", domain)
    opening = block.add("opening secret", unwrap("domain opening", domain, recovery,
                                                 base64.b64decode(body["opening_wrapped"])))
    naming = block.add("naming secret", unwrap("domain naming", domain, recovery,
                                               base64.b64decode(body["naming_wrapped"])))
    return opening, naming


def epoch_keys(block, epoch, opening):
    data = read("vault/epoch", epoch.hex())
    assert data[:8] == b"HFEPO1\r\n" and data[-32:] == H("epoch object", data[:-32])
    domain, hashes, at = data[8:40], data[48:112], 113
    assert H("epoch", domain + hashes) == epoch
    keys = {}
    for _ in range(data[112]):
        role, length = data[at], data[at + 34]
        if role in (1, 2):
            tag = ("epoch content", "epoch map")[role - 1]
            keys[role] = unwrap(tag, domain + hashes, opening, data[at + 35 : at + 35 + length])
            assert H(tag, keys[role]) == hashes[32 * (role - 1) : 32 * role]
        at += 35 + length
    block.add("epoch", epoch)
    return block.add("content key", keys[1]), block.add("map key", keys[2])


def chain_of(number_of_entries):
    """The chain of so many entries: a list of whole objects."""
    for chain in sorted(os.listdir(os.path.join(GOLDEN, "vault/ledger"))):
        names = sorted(os.listdir(os.path.join(GOLDEN, "vault/ledger", chain)))
        entries = [read("vault/ledger", chain, name) for name in names]
        if b'"after"' not in entries[0] and len(entries) == number_of_entries:
            return entries
    raise AssertionError("no such chain")


def first_entry(block, entry):
    envelope, body = entry[:284], entry[284:]
    block.add("entry 0", entry)
    block.add("body (behind 00)", body[1:].decode())
    assert block.add("body_hash", H("ledger body", body)) == envelope[152:184]
    signer, signature = envelope[188:220], envelope[220:284]
    sodium.crypto_sign_open(signature + b"holdfast/1/ledger entry\0" + envelope[:220], signer)
    block.add("T(envelope 0)", T([envelope]))


def snapshot_body(block, envelopes, entry, domain, map_key):
    assert entry[88:120] == T(envelopes)
    body = entry[284:]
    salt, sealed = body[33:49], body[50:]
    key = K(map_key, "segment", salt + b"\6" + domain)
    additional = b"holdfast/1/chunk\0" + domain + salt + b"\6" + struct.pack("<Q", 1) + entry[40:72]
    block.add("salt", salt)
    block.add("segment key", key)
    block.add("nonce", bytes(4) + struct.pack("<Q", 1))
    block.add("additional data", additional)
    block.add("sealed", sealed)
    text = open_chunk(key, 1, additional, sealed)
    block.add("plain", text.decode())
    block.add("snapshot id", blake(b"\0" + entry[:284]))
    return json.loads(text)


def pack_of(block, name, domain, map_key):
    data = read("vault/pack", name[:2], name)
    leaves = [data[i : i + 65536] for i in range(0, len(data), 65536)]
    assert H("pack", struct.pack("<Q", len(data)) + T(leaves)).hex() == name
    block.add("pack", name)
    block.add("length", str(len(data)))
    block.add("T(leaves)", T(leaves))
    trailer = block.add("trailer", data[-64:])
    salt, size = trailer[32:48], 4096 << trailer[49] // 2
    size = size * 3 // 2 if trailer[49] % 2 else size
    key = block.add("directory's key", K(map_key, "segment", salt + b"\5" + domain))
    additional = b"holdfast/1/chunk\0" + domain + salt + b"\5" + bytes(8) + bytes(32)
    directory = open_chunk(key, 0, additional, data[-64 - size : -64])
    block.add("directory begins", directory[:128])
    return data, directory


def first_chunk(block, data, directory, content_key, naming):
    assert directory[0] == 1
    _, at = varint(directory, 1)
    domain, salt, kind = directory[at : at + 32], directory[at + 64 : at + 80], directory[at + 81]
    assert kind == 1
    _, at = varint(directory, at + 82)
    chunk = directory[at : at + 32]
    sealed_length, at = varint(directory, at + 32)
    key = block.add("segment key", K(content_key, "segment", salt + bytes([kind]) + domain))
    additional = b"holdfast/1/chunk\0" + domain + salt + bytes([kind]) + bytes(8) + chunk
    block.add("additional data", additional)
    sealed = block.add("sealed, from byte 16", data[16 : 16 + sealed_length])
    plain = block.add("codec, filter, payload", open_chunk(key, 0, additional, sealed))
    assert plain[:2] == b"\0\0"
    block.add("content", json.dumps(plain[2:].decode()))
    naming_key = block.add("key of chunk ids", K(naming, "chunk id", bytes([kind])))
    assert block.add("chunk id", blake(plain[2:], naming_key)) == chunk


def blocks():
    made = {}

    def block(name):
        return made.setdefault(name, Block())

    entries = chain_of(2)
    epoch = entries[1][285:317]
    domain = read("vault/epoch", epoch.hex())[8:40]
    recovery = recovery_key(block("keys"))
    opening, naming = domain_keys(block("keys"), domain, recovery)
    content_key, map_key = epoch_keys(block("keys"), epoch, opening)
    first_entry(block("entry"), entries[0])
    snapshot = snapshot_body(block("body"), [entries[0][:284]], entries[1], domain, map_key)
    data, directory = pack_of(block("pack"), snapshot["manifest"]["pack"], domain, map_key)
    first_chunk(block("chunk"), data, directory, content_key, naming)
    return made


class WorkedExampleTest(unittest.TestCase):
    def test_the_text_has_every_block_as_it_is_computed(self):
        with open(os.path.join(SOURCE, "docs/vault-format.md"), encoding="utf-8") as file:
            text = file.read()
        example = text[text.index("## 13. A worked example") :]
        at = 0
        for name, block in blocks().items():
            found = example.find(str(block), at)
            self.assertGreaterEqual(found, 0, f"docs/vault-format.md, 13: the block \"{name}\" is to be\n{block}")
            at = found + len(str(block))


if __name__ == "__main__":
    if sys.argv[1:] == ["print"]:
        for title, lines in blocks().items():
            print(f"{title}:\n\n{lines}")
    else:
        unittest.main(verbosity=1)
