"""A node in a temporary folder, driven through the holdfast program; and trees to put into it."""
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HOLDFAST = os.environ["HOLDFAST"]
SOURCE = os.environ["HOLDFAST_SOURCE"]
PATIENCE_S = 60
RESCUE = os.path.join(SOURCE, "images/rescue/holdfast-rescue")


class Outcome:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout.decode(errors="replace")
        self.err = process.stderr.decode(errors="replace")

    def json(self):
        return json.loads(self.out)


class Node:
    def __init__(self, trust="Camberwick Green", *init):
        self.root = tempfile.mkdtemp(prefix="holdfast-test-")
        self.use(os.path.join(self.root, "home"))
        self.trust = trust
        if trust is not None:
            self.ok("init", "--trust", trust, *init)

    def use(self, home):
        self.home = home
        self.vault = os.path.join(home, "vault")

    def close(self):
        shutil.rmtree(self.root)

    def run(self, *arguments, fault=None, env=None):
        environment = {**os.environ, **(env or {})}
        if fault is not None:
            environment["HOLDFAST_FAULT"] = str(fault)
        return Outcome(subprocess.run([HOLDFAST, "--home", self.home, *arguments], env=environment,
                                      stdin=subprocess.DEVNULL, capture_output=True))

    def ok(self, *arguments):
        """The outcome of a command that must do what it is told."""
        outcome = self.run(*arguments)
        assert outcome.code == 0, f"{arguments}: exit code {outcome.code}\n{outcome.out}{outcome.err}"
        return outcome

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def rescue(self, *arguments):
        kit = os.path.join(self.home, "kit")
        return Outcome(subprocess.run(
            [RESCUE, "--kit", kit + "/recovery-kit.json", "--passphrase-file", kit + "/passphrase.txt",
             self.vault, *arguments], stdin=subprocess.DEVNULL, capture_output=True))

    def wait_until(self, holds):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, "it did not come to be"
            select.select([], [], [], 0.05)

    def objects(self, folder):
        found = []
        for at, _, names in os.walk(os.path.join(self.vault, folder)):
            found += [os.path.join(at, name) for name in names]
        return sorted(found)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class RunningNode(Node):
    """A node with a port for partners, run by `holdfast node run`."""

    def __init__(self, trust):
        self.process = None
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__(trust, "--listen", self.address, "--address", self.address)

    def start(self, fault=None):
        environment = {k: v for k, v in os.environ.items() if k != "HOLDFAST_FAULT"}
        if fault is not None:
            environment["HOLDFAST_FAULT"] = str(fault)
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([HOLDFAST, "--home", self.home, "node", "run"],
                                            env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        self.wait_for(lambda: self.ended() or self.answers())
        return self

    def answers(self):
        return self.run("partner", "list").code == 0 and self.run("run", "list").code == 0

    def said(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def ended(self):
        return self.process.poll() is not None

    def wait_for(self, holds):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, self.said()
            select.select([], [], [], 0.05)

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process = None

    def close(self):
        self.stop()
        super().close()


def pair(inviting, accepting, confirm=True):
    """Answers the words that both must have."""
    invitation = inviting.path("invitation")
    inviting.ok("partner", "invite", "--out", invitation)
    accepted = accepting.ok("partner", "accept", invitation, "--json").json()
    if confirm:
        inviting.ok("partner", "confirm", accepting.trust)
        accepting.ok("partner", "confirm", inviting.trust)
    return accepted["words"]


def agree(owner, host, *terms):
    owner.ok("agreement", "propose", host.trust, "--quota", "1GiB", "--hold-days", "30", *terms)
    host.ok("agreement", "sign", owner.trust)


def was_killed(outcome):
    return outcome.code == -signal.SIGKILL


def make_tree(path, seed=1, notes=60, tables=1):
    """Small notes in folders, a page-structured table, an odd name, a link, a hole."""
    rng = random.Random(seed)
    os.makedirs(path)
    words = "patient reviewed on ward stable observations plan continue bloods".split()
    for i in range(notes):
        folder = os.path.join(path, f"share/{i // 20:03}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"note-{i}.txt"), "w") as f:
            f.write(" ".join(rng.choice(words) for _ in range(rng.randrange(20, 900))))
    for t in range(tables):
        with open(os.path.join(path, f"{16384 + t}.tbl"), "wb") as f:
            f.write(b"".join(bytes([rng.randrange(97, 123)]) * 4096 for _ in range(512)))
    with open(os.path.join(path, "sparse"), "wb") as f:
        f.seek(3 << 20)
        f.write(b"end")
    os.symlink("share/000", os.path.join(path, "link"))
    os.link(os.path.join(path, "sparse"), os.path.join(path, "zz-second-name"))
    with open(os.path.join(os.fsencode(path), b"odd \n\xff name"), "w") as f:
        f.write("odd")


def change_tree(path, seed):
    rng = random.Random(seed)
    with open(os.path.join(path, f"share/000/new-{seed}.txt"), "w") as f:
        f.write("new " * rng.randrange(10, 900))
    with open(os.path.join(path, "16384.tbl"), "r+b") as f:
        f.seek(8192 * rng.randrange(200))
        f.write(rng.randbytes(8192))


def differences(a, b):
    """Empty if the two trees are the same: names, types, modes, times, targets, content."""
    found = []
    names_a, names_b = set(listing(a)), set(listing(b))
    found += [f"only in {a}: {n!r}" for n in names_a - names_b]
    found += [f"only in {b}: {n!r}" for n in names_b - names_a]
    for name in sorted(names_a & names_b):
        one, two = os.path.join(os.fsencode(a), name), os.path.join(os.fsencode(b), name)
        sa, sb = os.lstat(one), os.lstat(two)
        for field in ("st_mode", "st_uid", "st_gid", "st_nlink", "st_mtime_ns"):
            if getattr(sa, field) != getattr(sb, field):
                found.append(f"{name!r}: {field}")
        if os.path.islink(one):
            if os.readlink(one) != os.readlink(two):
                found.append(f"{name!r}: target")
        elif os.path.isfile(one):
            with open(one, "rb") as fa, open(two, "rb") as fb:
                if fa.read() != fb.read():
                    found.append(f"{name!r}: content")
    return found


def listing(root):
    root = os.fsencode(root)
    for at, folders, files in os.walk(root):
        for name in folders + files:
            yield os.path.relpath(os.path.join(at, name), root)
