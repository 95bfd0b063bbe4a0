"""Two trusts on this machine, paired and agreed, each with its programs as processes of their own.

Anna's node owns "letters", a folder; Bert's hosts it and may run it. Both have a home below /tmp and a
port on loopback; a process can be started with a fault point, stopped, killed and started again.
"""
import os
import re
import select
import signal
import socket
import subprocess
import time

from node import HOLDFAST, Node

PROGRAMS = os.path.dirname(HOLDFAST)
PATIENCE_S = 60

LETTERS = """name = "letters"
title = "Letters"
[objectives]
data_age = "1d"
time_to_run = "10m"
[[source]]
name = "documents"
kind = "files"
path = "%s"
[plan]
runtime = "sleeper"
hosts = ["Bert"]
[[check]]
name = "a letter is there"
kind = "command"
command = "look"
[[endpoint]]
name = "letters"
source = "documents"
port = 8099
[fence]
kind = "attested"
say = "Is the old server off?"
"""

SLEEPER = """name = "sleeper"
kind = "command"
user = "nobody"
source = "documents"
start = ["/usr/bin/sleep", "infinity"]
ready = ["/usr/bin/true"]
stop_seconds = 5
[commands]
look = ["/usr/bin/test", "-f", "{mount}/documents/letter.txt"]
"""


def can_run_systems():
    return os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Program:
    """One of a node's processes. It says "ready" on stdout or stderr; what it says is kept."""

    def __init__(self, words, fault=None):
        environment = {k: v for k, v in os.environ.items() if k != "HOLDFAST_FAULT"}
        if fault is not None:
            environment["HOLDFAST_FAULT"] = str(fault)
        self.words = words
        self.said = ""
        self.process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.wait_for(lambda: "ready" in self.said)

    def listen(self):
        try:
            self.said += (self.process.stdout.read() or b"").decode(errors="replace")
        except ValueError:
            pass

    def wait_for(self, holds):
        """True once it holds; False if the process has ended before."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            self.listen()
            if holds():
                return True
            if ended:
                return False
            select.select([self.process.stdout], [], [], 0.02)
        raise AssertionError(f"{self.words[0]} went silent: {self.said}")

    def ended(self):
        return self.process.poll() is not None

    def stopped(self):
        """At the fault point of stop:N."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if not self.ended():
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self.listen()


class Trust(Node):
    def __init__(self, name):
        super().__init__(name)
        os.chmod(self.root, 0o755)
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        settings = os.path.join(self.home, "node.toml")
        with open(settings, encoding="utf-8") as file:
            text = file.read()
        self.id = re.search(r'trust = "([0-9a-f]{64})"', text).group(1)
        self.node = re.search(r'name = "([^"]+)"', text).group(1)
        text = text.split("[peer]")[0]
        with open(settings, "w", encoding="utf-8") as file:
            file.write(text + f'[peer]\nlisten = "{self.address}"\naddress = "{self.address}"\n'
                       "after_snapshot = false\n")
        self.agent = self.replicator = None

    def start(self):
        self.start_replicator()
        self.start_agent()

    def start_agent(self, fault=None):
        self.agent = Program([os.path.join(PROGRAMS, "holdfast-agent"), "--home", self.home], fault)

    def start_replicator(self, fault=None):
        at = lambda name: os.path.join(self.home, name)
        self.replicator = Program(
            [os.path.join(PROGRAMS, "holdfast-replicator"), "--vault", at("vault"), "--tenants",
             at("tenants"), "--state", at("state"), "--keys", at("keys"), "--run", at("run"), "--trust",
             self.id, "--name", self.node, "--listen", self.address, "--address", self.address], fault)

    def stop(self):
        for program in (self.agent, self.replicator):
            if program is not None:
                program.stop()

    def close(self):
        self.stop()
        self.end_runs()
        super().close()

    def end_runs(self):
        """Mounts and rooms that a failed test left."""
        mine = [line.split()[4] for line in open("/proc/self/mountinfo", encoding="utf-8")]
        for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read()
                root = os.readlink(f"/proc/{pid}/root")
            except OSError:
                continue
            if self.root.encode() in words or root.startswith(self.root):
                if int(pid) != os.getpid():
                    os.kill(int(pid), signal.SIGKILL)
        for place in sorted((m for m in mine if m.startswith(self.root)), reverse=True):
            subprocess.run(["umount", "-l", place], check=False, capture_output=True)

    def ok(self, *arguments):
        done = self.run(*arguments)
        assert done.code == 0, f"{arguments}: {done.code}\n{done.out}{done.err}"
        return done

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def add_person(self, name, role):
        self.write(name + ".pass", "correct horse " + name + "\n")
        self.ok("person", "add", name, "--role", role, "--key-file", self.path(name + ".key"),
                "--passphrase-file", self.path(name + ".pass"))

    def mounts_left(self):
        folder = os.path.join(self.home, "mounts")
        return os.listdir(folder) if os.path.isdir(folder) else []


class TwoTrusts:
    def __init__(self):
        self.anna = Trust("Anna")
        self.bert = Trust("Bert")
        for trust in (self.anna, self.bert):
            trust.start()
        self.pair()
        self.add_letters()
        self.agree()

    def close(self):
        for trust in (self.anna, self.bert):
            trust.close()

    def pair(self):
        invitation = self.bert.path("invitation")
        self.bert.ok("partner", "invite", "--out", invitation)
        self.anna.ok("partner", "accept", invitation)
        self.anna.ok("partner", "confirm", "Bert")
        self.bert.ok("partner", "confirm", "Anna")

    def add_letters(self):
        folder = self.anna.path("documents")
        os.mkdir(folder)
        self.letter("Dear patient")
        self.anna.ok("system", "add", self.anna.write("letters.toml", LETTERS % folder))
        for trust in (self.anna, self.bert):
            runtimes = os.path.join(trust.home, "runtimes")
            os.makedirs(runtimes, exist_ok=True)
            os.chmod(runtimes, 0o755)
            path = os.path.join(runtimes, "sleeper.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(SLEEPER)
            os.chmod(path, 0o644)
        self.anna.add_person("Ada", "approver")
        self.anna.add_person("Ben", "operator")
        self.anna.ok("snapshot", "letters")

    def letter(self, text):
        with open(self.anna.path("documents/letter.txt"), "w", encoding="utf-8") as file:
            file.write(text)

    def agree(self, may_run=("letters",)):
        words = [word for system in may_run for word in ("--may-run", system)]
        self.anna.ok("agreement", "propose", "Bert", "--quota", "1GiB", "--hold-days", "30", *words)
        self.bert.ok("agreement", "sign", "Anna")
        self.anna.ok("papers", "Bert")
        self.anna.ok("replicate", "--wait")

    def release(self, name="letters.release"):
        """Made by the node, signed by two people, each on their own."""
        file = self.anna.path(name)
        self.anna.ok("release", "make", "letters", "--for", "Bert", "--out", file)
        for person in ("Ada", "Ben"):
            self.anna.ok("release", "sign", file, "--key-file", self.anna.path(person + ".key"),
                         "--passphrase-file", self.anna.path(person + ".pass"))
        return file

    def runs(self):
        return self.anna.ok("run", "list", "--at", "Bert", "--json").json()

    def approve(self, run, person):
        return self.anna.run("run", "approve", str(run), "--at", "Bert", "--key-file",
                             self.anna.path(person + ".key"), "--passphrase-file",
                             self.anna.path(person + ".pass"), "--attest", "it is dark", "--json")

    def clean(self):
        """verify at both; and Anna's newest copy at Bert can be read, whole."""
        for trust in (self.anna, self.bert):
            trust.ok("verify", "--read-data")
        self.restored = getattr(self, "restored", 0) + 1
        to = self.anna.path(f"restored-{self.restored}")
        self.anna.ok("restore", "--latest", "letters", "--to", to, "--from", "Bert")
        with open(os.path.join(to, "letter.txt"), encoding="utf-8") as file:
            assert file.read() == "Dear patient"
