"""The demo: a supplier vanishes while people write, and the system comes back from the vault.

Nothing here is prepared: the data is made from a seed, the writer never stops for a snapshot, and what
came back is compared with what the seed says it must be at that transaction.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from clinic import POSTGRES, SEED, Clinic, as_postgres, free_port

SETTINGS = """\
name = "epr"
title = "Electronic patient record"
supplier = "Pippin Hosting"
contacts = ["Pippin Fort switchboard 01632 960 000"]
[[source]]
name = "database"
kind = "postgres"
host = "{host}"
port = {port}
user = "holdfast"
sslmode = "disable"
[[source]]
name = "documents"
kind = "files"
path = "{documents}"
"""


def say(text):
    print(text, flush=True)


class Demo:
    def __init__(self, build, megabytes):
        self.holdfast = os.path.join(build, "bin/holdfast")
        self.epr = os.path.join(build, "images/demo/epr/holdfast-demo-epr")
        self.root = tempfile.mkdtemp(prefix="holdfast-demo-")
        os.chmod(self.root, 0o755)
        self.home = self.root + "/camberwick"
        self.mounted = self.root + "/mounted"
        self.clinic = Clinic(self.root + "/pippin", self.epr, megabytes)
        self.copy_socket = None

    def node(self, *arguments):
        done = subprocess.run([self.holdfast, "--home", self.home, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"demo: holdfast {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout

    def report(self, *arguments):
        return json.loads(self.node(*arguments, "--json"))

    def set_up(self):
        say(f"Camberwick Green's record system, run by Pippin Hosting: "
            f"{self.clinic.megabytes} MB of synthetic patients, seed {SEED}.")
        self.clinic.start()
        self.node("init", "--trust", "Camberwick Green")
        path = self.root + "/epr.toml"
        with open(path, "w") as f:
            f.write(SETTINGS.format(host=self.clinic.root, port=self.clinic.port,
                                    documents=self.clinic.documents))
        self.node("system", "add", path)
        self.clinic.start_writer()

    def snapshots(self):
        say("Snapshots, while the wards go on writing:")
        for _ in range(2):
            self.wait_for_writes(60)
            taken = self.report("snapshot", "epr")
            say(f"  {taken['id'][:12]}  {taken['entries']} paths, {taken['bytes'] >> 20} MiB, "
                f"{taken['new_bytes'] >> 20} MiB new, stored as {taken['stored_bytes'] / 2**20:.1f} MiB, "
                f"{taken['took_ms'] / 1000:.1f} s")
        self.wait_for_writes(40)

    def wait_for_writes(self, more):
        wanted = self.count() + more
        while self.count() < wanted:
            if self.clinic.writer.poll() is not None:
                sys.exit("demo: the writer ended: " + str(self.clinic.writer.returncode))
            time.sleep(0.1)

    def count(self):
        return self.clinic.acknowledged() if os.path.exists(self.clinic.log) else 0

    def lose_the_supplier(self):
        self.clinic.vanish()
        say("Pippin Hosting is gone: server killed, database and documents deleted.")

    def bring_back(self):
        start = time.monotonic()
        self.node("mount", "--latest", "epr", self.mounted, "--writable")
        data = self.mounted + "/database"
        subprocess.run(["chown", "-R", "postgres:postgres", data], check=True)
        self.copy_socket = self.root + "/copy"
        os.mkdir(self.copy_socket)
        subprocess.run(["chown", "postgres", self.copy_socket], check=True)
        self.port = free_port()
        as_postgres(POSTGRES + "/pg_ctl", "-D", data, "-w", "-s", "-l", self.copy_socket + "/log", "-o",
                    f"-p {self.port} -c listen_addresses= -c unix_socket_directories={self.copy_socket} "
                    f"-c archive_mode=off", "start")
        self.database = self.clinic.database(self.port, self.copy_socket)
        answer = self.ask()
        self.first_answer = time.monotonic() - start
        letter = next(line for line in answer["letter"]["text"].splitlines() if line.strip())
        say(f"First answer after {self.first_answer:.1f} s: patient {answer['patient']['id']}, "
            f"{len(answer['allergies'])} allergies, latest letter \"{letter.strip()}\"")

    def ask(self):
        done = as_postgres(self.epr, "ask", "--database", self.database, "--documents",
                           self.mounted + "/documents", "--any", "--json", capture_output=True, text=True)
        return json.loads(done.stdout)

    def prove(self):
        done = as_postgres(self.epr, "prove", "--seed", SEED, "--megabytes", self.clinic.megabytes,
                           "--database", self.database, "--documents", self.mounted + "/documents",
                           "--json", capture_output=True, text=True)
        self.proof = json.loads(done.stdout)
        lost = as_postgres(self.epr, "lost", "--log", self.clinic.log, "--n", str(self.proof["n"]),
                           "--json", capture_output=True, text=True)
        self.lost = json.loads(lost.stdout)

    def screen(self):
        stored = int(subprocess.run(["du", "-sb", self.home + "/vault"], check=True,
                                    capture_output=True, text=True).stdout.split()[0])
        rows = sum(t["rows"] for t in self.proof["tables"])
        say(f"""
  Proven     state at transaction {self.proof['n']}: {len(self.proof['tables'])} tables, {rows} rows and \
{self.proof['files']['right']} files are what the seed says
  Lost       {self.lost['transactions']} acknowledged transactions, {self.lost['rows']} rows, \
{self.lost['seconds']:.1f} s of work
  Back       first answer after {self.first_answer:.1f} s
  Stored     {stored / 2**20:.1f} MiB in the vault, encrypted, for {self.clinic.megabytes} MB and two snapshots
""")

    def clean_up(self):
        if self.copy_socket:
            subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                            POSTGRES + "/pg_ctl", "-D", self.mounted + "/database", "-s", "-m",
                            "immediate", "stop"], check=False)
        if os.path.ismount(self.mounted) or os.path.isdir(self.mounted):
            subprocess.run([self.holdfast, "--home", self.home, "unmount", self.mounted], check=False,
                           stdout=subprocess.DEVNULL)
        if self.clinic.writer and self.clinic.writer.poll() is None:
            self.clinic.writer.terminate()
            self.clinic.writer.wait()
        if os.path.exists(self.clinic.data + "/postmaster.pid"):
            as_postgres(POSTGRES + "/pg_ctl", "-D", self.clinic.data, "-s", "-m", "immediate", "stop")
        shutil.rmtree(self.root)


def main():
    parser = argparse.ArgumentParser(prog="./run demo")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--keep", action="store_true", help="leave it running for a look")
    options = parser.parse_args()
    demo = Demo(options.build, options.megabytes)
    try:
        demo.set_up()
        demo.snapshots()
        demo.lose_the_supplier()
        demo.bring_back()
        demo.prove()
        demo.screen()
        if options.keep:
            say(f"Left running. Database: {demo.database}\nVault: {demo.home}/vault\n"
                f"To end it: press Enter here.")
            sys.stdin.readline()
    finally:
        demo.clean_up()


main()
