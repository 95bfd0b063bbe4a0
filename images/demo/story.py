"""What happens in the demo, in its order. Each step is what an admin would type."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from clinic import POSTGRES, SEED, Clinic
from network import Network
from settings import RUNTIME, SYSTEM
from trust import Trust, pair

RELAY_PORT = 15432
WINDY, HONEYMAN = "Windy Miller", "Mrs Honeyman"  # Camberwick Green's: an approver, an operator.
CUSTODIANS = ["Dr Mopp", "Peter Hazel", "Mickey Murphy"]  # Any two of them open an envelope.


def say(text):
    print(text, flush=True)


def mib(number):
    return f"{number / 2**20:.1f} MiB"


class Story:
    def __init__(self, build, megabytes):
        self.root = tempfile.mkdtemp(prefix="holdfast-demo-")
        os.chmod(self.root, 0o755)
        self.megabytes, self.began = megabytes, time.monotonic()
        self.epr = os.path.join(build, "images/demo/epr/holdfast-demo-epr")
        self.network = Network()
        names = (("Camberwick Green", "camberwick"), ("Trumpton", "trumpton"), ("Chigley", "chigley"))
        self.trusts = [Trust(name, short, os.path.join(build, "bin"), self.root, self.network)
                       for name, short in names]
        self.camberwick, self.trumpton, self.chigley = self.trusts
        self.clinic = Clinic(os.path.join(self.root, "pippin"), self.epr, megabytes, self.network)

    def three_trusts(self):
        where = "a network namespace each" if self.network.namespaces else "addresses on loopback"
        say(f"Three trusts on this machine, {where}: "
            f"{', '.join(f'{one.name} ({one.address})' for one in self.trusts)}.")
        for one in self.trusts:
            one.init()
            one.start()
        self.camberwick.add_person(WINDY, "approver")
        self.camberwick.add_person(HONEYMAN, "operator")
        for person in CUSTODIANS:
            self.camberwick.add_custodian(person)
        self.trumpton.add_person("Captain Flack", "approver")
        self.chigley.add_person("Lord Belborough", "approver")

    def the_supplier_runs_the_records(self):
        say(f"Camberwick Green's patient record is run by Pippin Hosting: {self.megabytes} MB in PostgreSQL and a "
            f"folder of documents. All of it is synthetic, made from seed {SEED}.")
        self.clinic.start()
        settings = self.camberwick.path("epr.toml")
        with open(settings, "w") as f:
            f.write(SYSTEM.format(pippin=self.clinic.address, passfile=self.clinic.passfile,
                                  documents=self.clinic.documents, relay=f"{self.camberwick.address}:{RELAY_PORT}"))
        self.camberwick.run("system", "add", settings)
        runtimes = os.path.join(self.trumpton.home, "runtimes")
        os.makedirs(runtimes, mode=0o755, exist_ok=True)
        with open(os.path.join(runtimes, "postgres.toml"), "w") as f:
            f.write(RUNTIME.format(postgres=POSTGRES, epr=self.epr, seed=SEED, megabytes=self.megabytes))
        self.clinic.start_writer()

    def partners_agree(self):
        words = pair(self.trumpton, self.camberwick)
        say(f"Paired; both sides read the same words to each other: \"{words}\".")
        pair(self.chigley, self.camberwick)
        pair(self.trumpton, self.chigley)
        for host, may_run in ((self.trumpton, ["--may-run", "epr"]), (self.chigley, [])):
            self.camberwick.run("agreement", "propose", host.name, "--quota", "50GiB", "--hold-days", "30",
                                "--witness", "Trumpton", "--witness", "Chigley",
                                "--contact", "On call, 01632 960 111", *may_run)
            host.run("agreement", "sign", self.camberwick.name)
        say("Agreed: both keep Camberwick Green's snapshots; Trumpton may run its record system.")

    def snapshots_travel(self):
        say("Snapshots, while the wards go on writing:")
        for number in range(2):
            self.wait_for_writes(60)
            taken = self.camberwick.report("snapshot", "epr")
            say(f"  {taken['id'][:12]}  {taken['entries']} paths, {mib(taken['bytes'])}, {mib(taken['new_bytes'])} new,"
                f" stored as {mib(taken['stored_bytes'])}, {taken['took_ms'] / 1000:.1f} s")
            start = time.monotonic()
            self.camberwick.run("replicate", "--wait")
            say(f"                received and signed for by Trumpton and Chigley after "
                f"{time.monotonic() - start:.1f} s more")
            if number == 0:
                self.clinic.nightly_backup()
        for host in (self.trumpton, self.chigley):
            self.camberwick.run("papers", host.name, "--threshold", "2")
        self.camberwick.run("recovery", "kit")
        for file in ("recovery-kit.json", "passphrase.txt"):
            shutil.copy(os.path.join(self.camberwick.home, "kit", file), self.camberwick.path(file))
        self.wait_for_writes(40)

    def wait_for_writes(self, more):
        wanted = self.clinic.acknowledged() + more
        while self.clinic.acknowledged() < wanted:
            if self.clinic.writer.poll() is not None:
                sys.exit(f"demo: the writer ended: {self.clinic.writer.returncode}")
            time.sleep(0.05)

    def everything_is_lost(self):
        self.clinic.vanish()
        self.camberwick.stop()
        shutil.rmtree(self.camberwick.home)
        say("\nPippin Hosting is gone: server killed, database and documents deleted.\n"
            "Camberwick Green's own node is gone too, with its keys and its vault.\n")

    def two_people_order_the_run(self):
        """At Trumpton's console, with what people carry: two shares, two keys."""
        at, carried = self.trumpton, self.camberwick
        owner = ["--owner", carried.name, "--system", "epr"]
        shares = []
        for person in CUSTODIANS[:2]:
            share = carried.path(person.split()[-1].lower() + ".share")
            at.run("custodian", "share", *carried.key(person), *owner, "--out", share)
            shares += ["--share", share]
        say(f"At Trumpton, {CUSTODIANS[0]} and {CUSTODIANS[1]} bring their shares, and a failover is ordered.")
        self.ordered = time.monotonic()
        run = at.report("failover", "epr", "--owner", carried.name, *shares)
        self.need(run, "waiting")
        self.show_steps(run)
        approve = ["run", "approve", str(run["id"])]
        attest = ["--attest", "I rang Pippin Fort: nobody answers, and no ward reaches it"]
        at.report(*approve, "--as", WINDY, *carried.key(WINDY), *attest)
        say(f"{WINDY} signs. Then signs again, and is refused: "
            f"\"{at.refused(*approve, '--as', WINDY, *carried.key(WINDY), *attest)}\"")
        self.run = at.report(*approve, "--as", HONEYMAN, *carried.key(HONEYMAN), *attest)
        self.need(self.run, "succeeded")
        say(f"{HONEYMAN} signs:")
        self.show_steps(self.run, after=run)
        self.opened = time.monotonic()

    @staticmethod
    def need(run, state):
        if run["state"] != state:
            raise RuntimeError(f"{run['name']} is {run['state']}, not {state}: {run['note']} "
                               f"{json.dumps(run['facts'], indent=1)}")

    @staticmethod
    def show_steps(run, after=None):
        before = {step["name"] for step in after["steps"] if step["state"] == "done"} if after else set()
        for step in run["steps"]:
            if step["state"] == "done" and step["name"] not in before:
                say(f"  {step['name']:<10} {(step['ended_ms'] - step['begun_ms']) / 1000:5.1f} s  {step['outcome']}")

    def an_empty_machine_becomes_the_node(self):
        carried = self.camberwick
        carried.home = os.path.join(carried.folder, "node-2")
        start = time.monotonic()
        carried.run("recover", "--kit", carried.path("recovery-kit.json"), "--passphrase-file",
                    carried.path("passphrase.txt"), "--from", "Trumpton", *carried.addresses())
        carried.start()
        carried.run("relay", "epr", "--to", "Trumpton")
        self.recovered_s = time.monotonic() - start
        say(f"An empty machine at Camberwick Green becomes its node again from the kit and Trumpton, in "
            f"{self.recovered_s:.1f} s, and leads the wards to Trumpton.")

    def the_wards_ask(self):
        answer = self.ask()
        self.answered = time.monotonic()
        letter = next(line for line in answer["letter"]["text"].splitlines() if line.strip())
        allergies = ", ".join(one["substance"] for one in answer["allergies"]) or "none recorded"
        say(f"A ward asks at its usual address: {answer['patient']['given_name']} {answer['patient']['family_name']}; "
            f"allergies: {allergies}; latest letter: \"{answer['letter']['title']}\", {letter.strip()}")

    def ask(self):
        at = f"host={self.camberwick.address} port={RELAY_PORT} user=ward dbname=epr connect_timeout=20"
        done = subprocess.run(self.clinic.from_the_wards(self.epr, "ask", "--database", at, "--any", "--json"),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the ward got no answer: {done.stderr}")
        return json.loads(done.stdout)

    def the_supplier_comes_back(self):
        self.clinic.come_back()
        say("Pippin Hosting comes back with last night's copy, at its old address. Camberwick Green's next snapshot:\n"
            f"  \"{self.camberwick.refused('snapshot', 'epr')}\"")

    # What the screen needs.

    def lost(self, n):
        done = subprocess.run(self.clinic.from_the_wards(self.epr, "lost", "--log", self.clinic.log, "--n", str(n),
                                                         "--json"), check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def latency_ms(self):
        """One connection from Camberwick Green to Trumpton's port, the median of 21."""
        program = ("import socket,sys,time\nt=[]\nfor _ in range(21):\n b=time.perf_counter()\n"
                   " socket.create_connection((sys.argv[1],8420)).close()\n t.append(time.perf_counter()-b)\n"
                   "print(sorted(t)[10]*1000)")
        done = subprocess.run([*self.network.inside("camberwick"), "/usr/bin/python3", "-c", program,
                               self.trumpton.address], check=True, capture_output=True, text=True)
        return float(done.stdout)

    def keep(self):
        say(f"Left running in {self.root}. Press Enter to end and remove it.")
        for one in self.trusts:
            say(f"  {' '.join(one.command('status'))}")
        sys.stdin.readline()

    def end(self):
        if self.trumpton.process is not None and hasattr(self, "run"):
            try:
                self.trumpton.run("run", "stop", str(self.run["id"]))
            except RuntimeError as error:
                say(f"demo: {error}")
        for one in self.trusts:
            one.stop()
        self.clinic.end()
        self.network.close()
        shutil.rmtree(self.root)
