"""A trust of the demo: its node's folders, its processes, its people; all by the command line that ships."""
import json
import os
import secrets
import signal
import socket
import subprocess
import time

PEER_PORT, CONSOLE_PORT = 8420, 8443


def answers(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


class Refused(Exception):
    """A command ended with another exit code than 0."""

    def __init__(self, command, done):
        self.said = (done.stderr.strip() or done.stdout.strip()).removeprefix("holdfast: ")
        super().__init__(f"{command}: exit {done.returncode}\n{done.stderr}{done.stdout}")


class Trust:
    def __init__(self, name, short, bin_folder, root, network):
        self.name, self.short, self.network = name, short, network
        self.programs = bin_folder
        self.address = network.place(short)
        self.folder = os.path.join(root, short)  # What people carry: keys, papers, the kit.
        self.home = os.path.join(self.folder, "node-1")
        self.process = None
        os.makedirs(self.folder)

    # The command line.

    def command(self, *arguments):
        return [*self.network.inside(self.short), os.path.join(self.programs, "holdfast"), "--home", self.home,
                *arguments]

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Refused(f"{self.name}: holdfast {' '.join(arguments)}", done)
        return done.stdout

    def report(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def refused(self, *arguments):
        """What is said to somebody who may not."""
        try:
            said = self.run(*arguments)
        except Refused as refusal:
            return refusal.said
        raise RuntimeError(f"{self.name}: holdfast {' '.join(arguments)} was not refused: {said}")

    # The node.

    def addresses(self):
        return ["--listen", f"{self.address}:{PEER_PORT}", "--address", f"{self.address}:{PEER_PORT}",
                "--console", f"{self.address}:{CONSOLE_PORT}"]

    def init(self):
        self.run("init", "--trust", self.name, *self.addresses())

    def start(self):
        log = open(os.path.join(self.folder, "node.log"), "a")
        self.process = subprocess.Popen(self.command("node", "run"), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.await_sockets()

    def await_sockets(self):
        """Until the node's processes answer."""
        for name in ("agent.sock", "replicator.sock"):
            path, until = os.path.join(self.home, "run", name), time.monotonic() + 30
            while not answers(path):
                if self.process.poll() is not None or time.monotonic() > until:
                    with open(os.path.join(self.folder, "node.log")) as f:
                        raise RuntimeError(f"{self.name}: the node did not start:\n{f.read()}")
                time.sleep(0.05)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait()
        self.process = None

    def processes(self):
        """The node's own and all it started."""
        found = subprocess.run(["pgrep", "-f", "--", self.home + "/"], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def console(self):
        return f"https://{self.address}:{CONSOLE_PORT}/"

    # People: each has a key of their own, in a file, under a passphrase of their own.

    def path(self, file):
        return os.path.join(self.folder, file)

    def key(self, person):
        file = self.path(person.split()[-1].lower())
        return ["--key-file", file + ".key", "--passphrase-file", file + ".passphrase"]

    def make_passphrase(self, person):
        path = self.key(person)[-1]
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(secrets.token_urlsafe(18) + "\n")

    def add_person(self, person, role):
        self.make_passphrase(person)
        self.run("person", "add", person, "--role", role, *self.key(person))

    def add_custodian(self, person):
        self.make_passphrase(person)
        self.run("custodian", "add", person, *self.key(person))

    # What is stored here.

    def stored(self, part):
        path = os.path.join(self.home, part)
        if not os.path.isdir(path):
            return 0
        return int(subprocess.run(["du", "-sb", path], check=True, capture_output=True, text=True).stdout.split()[0])


def pair(inviter, guest):
    """An invitation, and both sides compare the words as they would by phone."""
    paper = guest.path(f"invitation-of-{inviter.short}")
    inviter.run("partner", "invite", "--out", paper)
    guest.run("partner", "accept", paper)
    words = []
    for one, other in ((inviter, guest), (guest, inviter)):
        known = next(p for p in one.report("partner", "list") if p["name"] == other.name)
        words.append(known["words"])
        one.run("partner", "confirm", other.name)
    if words[0] != words[1]:
        raise RuntimeError(f"{inviter.name} and {guest.name} see other words: {words}")
    return words[0]
