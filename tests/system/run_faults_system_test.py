"""A drill and a failover at a partner, with a process killed (kill -9) at a fault point of the host's
agent: that agent, the host's replicator, the owner's replicator, or the mount. Afterwards the run goes on
or can be ordered again, nothing of a drill is left, each opening took one term, and both vaults verify.

Every point is tried, the victims taking turns; with HOLDFAST_FAULTS=all in the environment each victim at
every point, which takes four times as long.
"""
import json
import os
import subprocess
import sys
import time
import unittest

from node import HOLDFAST
from trusts import PATIENCE_S, TwoTrusts, can_run_systems

VICTIMS = ("host's agent", "host's replicator", "owner's replicator", "mount")


def mount_pids(home):
    """The holdfast-mount processes that hold files below `home`."""
    found = []
    for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
        try:
            if not os.readlink(f"/proc/{pid}/exe").endswith("/holdfast-mount"):
                continue
            held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        if any(path.startswith(home) for path in held):
            found.append(int(pid))
    return found


class Scene:
    """One try: calls of the command line go on while the fault strikes and is repaired."""

    def __init__(self, trusts, victim, point):
        self.trusts, self.victim = trusts, victim
        self.struck = victim is None
        self.restart_agent(point if victim in (None, "host's agent") else f"stop:{point}")
        self.tend()

    def restart_agent(self, fault=None):
        self.trusts.bert.agent.stop()
        self.trusts.bert.start_agent(fault)

    def tend(self):
        agent = self.trusts.bert.agent
        if self.struck:
            return
        if agent.ended():
            self.struck = True
            self.trusts.bert.start_agent()
        elif agent.stopped():
            self.struck = True
            self.strike()
            agent.go_on()

    def strike(self):
        if self.victim == "host's replicator":
            self.trusts.bert.replicator.kill()
            self.trusts.bert.start_replicator()
        elif self.victim == "owner's replicator":
            self.trusts.anna.replicator.kill()
            self.trusts.anna.start_replicator()
        else:
            for pid in mount_pids(self.trusts.bert.home):
                os.kill(pid, 9)

    def call(self, *words):
        """Answers the JSON that the command line printed; None if it failed."""
        process = subprocess.Popen([HOLDFAST, "--home", self.trusts.anna.home, *words, "--json"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        while True:
            self.tend()
            try:
                out, _ = process.communicate(timeout=0.05)
                break
            except subprocess.TimeoutExpired:
                pass
        return json.loads(out) if out.startswith((b"{", b"[")) else None

    def newest(self):
        runs = self.call("run", "list", "--at", "Bert")
        return runs[0] if runs else None

    def approve(self, run, person):
        path = self.trusts.anna.path(person)
        self.call("run", "approve", str(run["id"]), "--at", "Bert", "--key-file", path + ".key",
                  "--passphrase-file", path + ".pass", "--attest", "it is dark")


class RunFaultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trusts = TwoTrusts()
        cls.release = cls.trusts.release()
        cls.started = time.monotonic()

    @classmethod
    def tearDownClass(cls):
        print(f"fault loops: {time.monotonic() - cls.started:.0f} s")
        cls.trusts.close()

    def order(self, scene, kind, before):
        """The run that was ordered; ordered again if the first order was lost with a process."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            scene.call(kind, "letters", "--at", "Bert", "--release", self.release)
            run = scene.newest()
            if run is not None and run["id"] > before:
                return run
        self.fail("no order was taken")

    def last_id(self):
        runs = self.trusts.runs()
        return runs[0]["id"] if runs else 0

    def drill(self, victim, point):
        before = self.last_id()
        scene = Scene(self.trusts, victim, point)
        run = self.order(scene, "drill", before)
        deadline = time.monotonic() + PATIENCE_S
        while not run["over"]:
            self.assertLess(time.monotonic(), deadline, run)
            run = scene.newest() or run
        self.assertEqual(self.trusts.bert.mounts_left(), [], run)
        if victim != "mount":
            self.assertEqual(run["state"], "succeeded", run)
        if run["state"] != "succeeded":  # Its mount died: it failed, and says why.
            self.assertTrue(run["facts"]["failure"], run)
            self.order(scene, "drill", run["id"])
        return scene.struck

    def failover(self, victim, point):
        before = self.last_id()
        scene = Scene(self.trusts, victim, point)
        run = self.order(scene, "failover", before)
        deadline = time.monotonic() + PATIENCE_S
        while run["state"] != "succeeded":
            self.assertLess(time.monotonic(), deadline, run)
            if run["state"] == "waiting":
                for person in ("Ada", "Ben"):
                    scene.approve(run, person)
            elif run["state"] == "stuck":
                scene.call("run", "resume", str(run["id"]), "--at", "Bert")
            run = scene.newest() or run
        self.assertEqual(len(run["facts"]["endpoints"]), 1)
        stopped = None
        while stopped is None or stopped["state"] != "closed":
            self.assertLess(time.monotonic(), deadline, stopped)
            stopped = scene.call("run", "stop", str(run["id"]), "--at", "Bert") or scene.newest()
        return scene.struck, run["facts"]["term"]

    def count(self, kind):
        """How many fault points the agent meets in a whole run of that kind."""
        before = self.last_id()
        scene = Scene(self.trusts, None, "count")
        run = self.order(scene, kind, before)
        if kind == "failover":
            for person in ("Ada", "Ben"):
                scene.approve(run, person)
            self.assertEqual(scene.newest()["state"], "succeeded")
            scene.call("run", "stop", str(run["id"]), "--at", "Bert")
        counted = self.trusts.bert.agent
        scene.restart_agent()
        return int(counted.said.rsplit("fault points: ", 1)[1].split()[0])

    def tries(self, kind):
        """(victim, fault point) of a run of that kind: every point, the victims taking turns; or, with
        HOLDFAST_FAULTS=all in the environment, every victim at each."""
        self.count(kind)  # The first run also makes folders that stay.
        count = self.count(kind)
        tries = [(VICTIMS[point % len(VICTIMS)], point) for point in range(1, count + 1)]
        if os.environ.get("HOLDFAST_FAULTS") == "all":
            tries = [(victim, point) for point in range(1, count + 1) for victim in VICTIMS]
        print(f"{kind}: {count} fault points, {len(tries)} kills")
        return tries

    def test_a_drill_at_a_partner_survives_each_of_its_processes(self):
        tries = self.tries("drill")
        struck = 0
        for victim, point in tries:
            with self.subTest(victim=victim, point=point):
                struck += self.drill(victim, point)
        self.assertGreater(struck, len(tries) * 9 // 10)
        self.trusts.clean()

    def test_a_failover_at_a_partner_survives_each_of_its_processes(self):
        tries = self.tries("failover")
        term = self.trusts.runs()[0]["facts"]["term"]
        for victim, point in tries:
            with self.subTest(victim=victim, point=point):
                _, taken = self.failover(victim, point)
                self.assertEqual(taken, term + 1)
                term = taken
        self.trusts.clean()


if __name__ == "__main__":
    if not can_run_systems():
        print("skipped: rooms and mounts need root and /dev/fuse")
        sys.exit(77)
    unittest.main()
