"""Where the demo's machines stand: a network namespace for each trust and for the supplier, joined by a
bridge in a namespace of its own. Nothing outside these namespaces is touched. Where namespaces cannot be
made, every machine gets an address of its own on loopback.
"""
import os
import subprocess


def succeeds(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


class Network:
    """`place(NAME)` makes a machine; `inside(NAME)` is the prefix of commands that run on it."""

    def __init__(self):
        self.street = f"holdfast-{os.getpid()}-street"
        self.names = []
        self.addresses = {}
        self.namespaces = succeeds("ip", "netns", "add", self.street)
        if self.namespaces:
            self._ip(self.street, "link", "add", "bridge", "type", "bridge")
            self._ip(self.street, "link", "set", "bridge", "up")

    def place(self, name):
        number = 10 + len(self.addresses)
        self.addresses[name] = f"192.0.2.{number}" if self.namespaces else f"127.0.0.{number}"
        if self.namespaces:
            self._join(name, f"192.0.2.{number}/24")
        return self.addresses[name]

    def inside(self, name):
        # Not `ip netns exec`: that hides mounts from everybody else.
        return ["nsenter", f"--net=/run/netns/{self._space(name)}"] if self.namespaces else []

    def close(self):
        for space in [*(self._space(name) for name in self.names), self.street]:
            if self.namespaces:
                succeeds("ip", "netns", "delete", space)

    def _space(self, name):
        return f"holdfast-{os.getpid()}-{name}"

    def _join(self, name, address):
        space = self._space(name)
        subprocess.run(["ip", "netns", "add", space], check=True)
        self.names.append(name)
        plug = f"to-{name}"[:15]
        self._ip(self.street, "link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", space)
        self._ip(self.street, "link", "set", plug, "master", "bridge", "up")
        self._ip(space, "address", "add", address, "dev", "eth0")
        self._ip(space, "link", "set", "eth0", "up")
        self._ip(space, "link", "set", "lo", "up")

    @staticmethod
    def _ip(space, *arguments):
        subprocess.run(["ip", "-n", space, *arguments], check=True)
