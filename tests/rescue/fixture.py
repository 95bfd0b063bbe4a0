"""The reader as a module, a folder with every kind of inode, and a small vault of it."""
from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import ModuleType

from make_vault import PASSPHRASE, Edit, Writer
from packing import DATA, META, BoxKey, Domain, Pack, encode

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "images", "rescue", "holdfast-rescue")
SEED = bytes(range(256)) * 300


def load_rescue() -> ModuleType:
    """The program as a module: a test calls main() as the command line would."""
    loader = importlib.machinery.SourceFileLoader("holdfast_rescue", PROGRAM)
    spec = importlib.util.spec_from_loader("holdfast_rescue", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["holdfast_rescue"] = module
    loader.exec_module(module)
    return module


rescue = load_rescue()


def run(*arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of one call."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = rescue.main(list(arguments))
    return status, out.getvalue(), err.getvalue()


def write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def make_tree(root: str) -> None:
    """Every kind of inode that this user can make, and every form of content."""
    os.makedirs(os.path.join(root, "a", "b"))
    os.makedirs(os.path.join(root, "empty folder"))

    def at(name: str) -> str:
        return os.path.join(root, name)

    write(at("a.txt"), b"sorts behind what is in the folder a")
    write(at("a/empty"), b"")
    write(at("a/random"), os.urandom(45001))
    write(at("a/three"), SEED[:15001])
    write(at("a/three parts"), SEED[:65001])
    write(at("a/wave even"), SEED[:19998])
    write(at("a/wave odd"), SEED[:19999])
    write(at("a/b/first"), b"one file, two names")
    os.link(at("a/b/first"), at("second"))
    with open(at("holes, parts"), "wb") as file:
        os.pwrite(file.fileno(), SEED[:30000], 1 << 20)
        os.pwrite(file.fileno(), b"end", 4 << 20)
        os.ftruncate(file.fileno(), 5 << 20)
    os.symlink("a/b/first", at("link"))
    os.symlink("/nowhere", at("a/dangling"))
    os.mkfifo(at("pipe"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(at("socket"))
    with open(os.fsencode(root) + b"/\xff\xfe\n name", "wb") as file:
        file.write(b"names are bytes")
    os.setxattr(at("a.txt"), "user.note", b"\0\1\2")
    os.setxattr(at("a/b"), "user.folder", b"yes")
    if os.geteuid() == 0:
        os.mknod(at("device"), stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.chown(at("a/three"), 1234, 5678)
        os.chown(at("link"), 1234, 5678, follow_symlinks=False)
        acl = bytes.fromhex("0200000001000600ffffffff02000600d204000004000400ffffffff"
                            "10000600ffffffff20000400ffffffff")
        os.setxattr(at("a/random"), "system.posix_acl_access", acl)
        os.setxattr(at("a/b"), "system.posix_acl_default", acl)
        os.chmod(at("a/three"), 0o6755)
    os.chmod(at("a/wave odd"), 0o400)
    os.chmod(at("a/b"), 0o1750)
    os.utime(at("link"), ns=(5, -1_000_000_001), follow_symlinks=False)
    for name in ("a/three", "a/b", "a", "pipe", ""):
        os.utime(at(name), ns=(7, 1_234_567_890_123_456_789))


def describe(root: str) -> dict[bytes, tuple[object, ...]]:
    """What a restore promises to bring back, for each path."""
    found: dict[bytes, tuple[object, ...]] = {}
    top = os.fsencode(root)
    for folder, folders, files in os.walk(top):
        for path in [folder] + [os.path.join(folder, name) for name in folders + files]:
            info = os.lstat(path)
            names = os.listxattr(path, follow_symlinks=False)
            content: object = os.readlink(path) if stat.S_ISLNK(info.st_mode) else None
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            linked = info.st_nlink if not stat.S_ISDIR(info.st_mode) else 0
            found[os.path.relpath(path, top)] = (
                info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, info.st_rdev, linked,
                content, {n: os.getxattr(path, n, follow_symlinks=False) for n in sorted(names)})
    return found


class Fixture:
    """One small vault with two domains, three snapshots and most forms that the format has."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="rescue-test-")
        self.tree, self.second = self.path("tree"), self.path("second")
        make_tree(self.tree)
        os.mkdir(self.second)
        write(os.path.join(self.second, "other"), b"of the second source")
        self.vault = self.path("vault")
        w = self.writer = Writer(self.vault)
        w.put_roster(2, 1, w.put_roster(1, 0))
        self.domain, self.other = Domain(), Domain()
        w.put_domain(self.domain)
        w.put_domain(self.other)
        self.custodians = [BoxKey() for _ in range(5)]
        self.shares = self.split(w.recovery.secret, 3, len(self.custodians))
        w.put_custody(self.custodians, self.shares, 3)
        self.kit, self.pass_file = self.path("kit"), self.path("passphrase")
        write(self.kit, w.kit())
        write(self.pass_file, PASSPHRASE.encode() + b"\n")
        w.chain_entry({"type": "open", "node": "node-a", "name": "node-a"})
        self.epoch = w.epoch(self.domain)
        spare = Pack(self.epoch)
        spare.segment(DATA).add(b"what the second snapshot no longer lists")
        dropped = w.put_pack(spare.finish())
        w.listed = {dropped}
        w.list = w.put_list(w.listed)
        foreign = Pack(self.epoch)  # has a segment of another domain, moved there unopened
        foreign.segment(META, 2, w.epoch(self.other)).add(b"of the other domain")
        self.first = w.snapshot("mail", self.epoch, {"home": self.tree}, True, data_pack=foreign)
        w.chain_entry({"type": "receipt", "from": "partner"})
        self.next_epoch = w.epoch(self.domain)
        self.latest = w.snapshot("mail", self.next_epoch, {"home": self.tree, "db": self.second},
                                 False, removed=frozenset({dropped}))
        self.full = Pack(w.epoch(self.other))
        self.fill(self.full)
        self.foreign = w.snapshot("lab", self.full.epoch, {"db": self.second}, True,
                                  data_pack=self.full)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    @staticmethod
    def fill(pack: Pack) -> None:
        """Adds a chunk that brings a pack with one more small one to a length without padding."""
        other = b"of the second source"
        taken = 16 + (16 + len(encode(other, 1, 0))) + (16 + 2) + 4096 + 64
        pack.segment(DATA).add(os.urandom(65536 - taken), codec=0)

    @staticmethod
    def split(secret: bytes, threshold: int, count: int) -> list[bytes]:
        """Shamir by tables of logarithms, where the reader multiplies bit by bit."""
        exp, log, x = [0] * 512, [0] * 256, 1
        for i in range(255):
            exp[i] = exp[i + 255] = x
            log[x] = i
            x = (x << 1) ^ (0x11D if x & 0x80 else 0)
        polynomials = [[byte, *os.urandom(threshold - 1)] for byte in secret]
        shares = []
        for number in range(1, count + 1):
            share = bytearray()
            for polynomial in polynomials:
                value = 0
                for power, coefficient in enumerate(polynomial):
                    if coefficient:
                        value ^= exp[(log[coefficient] + power * log[number]) % 255]
                share.append(value)
            shares.append(bytes(share))
        return shares

    def run(self, *arguments: str, vault: str | None = None) -> tuple[int, str, str]:
        return run("--kit", self.kit, "--passphrase-file", self.pass_file, vault or self.vault,
                   *arguments)

    @contextlib.contextmanager
    def copied(self) -> Iterator[Writer]:
        """This vault copied, with a Writer that goes on with the copy alone."""
        w, keep = self.writer, self.writer.__dict__.copy()
        w.root = tempfile.mkdtemp(prefix="copy-", dir=self.folder)
        w.envelopes, w.known, w.listed, w.list = list(w.envelopes), set(), set(), bytes(32)
        shutil.copytree(self.vault, w.root, dirs_exist_ok=True)
        yield w
        w.__dict__.update(keep)

    def with_snapshot(self, edit: Edit) -> tuple[str, str]:
        """A vault like this one with one more, edited snapshot; and the snapshot's id."""
        with self.copied() as w:
            name = w.snapshot("edited", self.epoch, {"home": self.tree}, False, edit)
            return w.root, name.hex()

    def with_packs(self, *packs: bytes) -> str:
        """A vault like this one with one more snapshot, whose list has these packs too."""
        with self.copied() as w:
            w.listed = {w.put_pack(pack) for pack in packs}
            w.list = w.put_list(w.listed)
            w.snapshot("edited", self.epoch, {"db": self.second}, False)
            return w.root

    def with_writing(self, write: Callable[[Writer], object]) -> str:
        with self.copied() as w:
            write(w)
            return w.root

    def remove(self) -> None:
        shutil.rmtree(self.folder)
