"""Pippin Hosting, who runs Camberwick Green's record system: a PostgreSQL and a folder of documents.

Its server stands in the network as `pippin`; the wards, who write all day, at Camberwick Green.
"""
import os
import pwd
import secrets
import shutil
import signal
import subprocess

POSTGRES = "/usr/lib/postgresql/15/bin"
SEED = "1966"
PORT = 5432


def as_postgres(*argv):
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *argv]


class Clinic:
    """Everything is made below `root`; `epr` is the program holdfast-demo-epr."""

    def __init__(self, root, epr, megabytes, network):
        self.root, self.epr, self.megabytes, self.network = root, epr, str(megabytes), network
        self.address = network.place("pippin")
        self.data = os.path.join(root, "postgres")
        self.documents = os.path.join(root, "documents")
        self.log = os.path.join(root, "acknowledged.log")  # Outside the database: the clients' memory.
        self.passfile = os.path.join(root, "holdfast.pgpass")
        self.writer = None
        os.makedirs(root)
        owner = pwd.getpwnam("postgres")
        os.chown(root, owner.pw_uid, owner.pw_gid)

    # The supplier.

    def call(self, *argv, **options):
        """As PostgreSQL's user, on Pippin's machine."""
        return subprocess.run([*self.network.inside("pippin"), *as_postgres(*argv)], check=True,
                              stdin=subprocess.DEVNULL, **options)

    def database(self):
        return f"host={self.address} port={PORT} user=ward dbname=epr"

    def start(self):
        self.call(POSTGRES + "/initdb", "-D", self.data, "-k", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                  stdout=subprocess.DEVNULL)
        with open(self.data + "/postgresql.conf", "a") as f:
            f.write(f"port = {PORT}\nlisten_addresses = '{self.address}'\n"
                    f"unix_socket_directories = '{self.root}'\n")
        with open(self.data + "/pg_hba.conf", "w") as f:
            f.write("local all all trust\nlocal replication all trust\nhost replication holdfast 0.0.0.0/0 scram-sha-256\n"
                    "host epr ward 0.0.0.0/0 trust\n")
        self.start_server()
        password = secrets.token_urlsafe(18)
        for statement in ("create role ward login superuser", "create database epr owner ward",
                          f"create role holdfast login replication password '{password}'"):
            self.call(POSTGRES + "/psql", "-q", "-h", self.root, "-d", "postgres", "-c", statement)
        with open(os.open(self.passfile, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(f"*:*:*:holdfast:{password}\n")
        self.call(self.epr, "load", "--seed", SEED, "--megabytes", self.megabytes, "--documents", self.documents,
                  "--database", self.database(), stdout=subprocess.DEVNULL)

    def start_server(self):
        self.call(POSTGRES + "/pg_ctl", "-D", self.data, "-w", "-s", "-l", self.root + "/server.log", "start")

    def nightly_backup(self):
        """Pippin's own; nobody else ever saw it."""
        self.call(POSTGRES + "/pg_basebackup", "-h", self.root, "-D", self.root + "/nightly", "-c", "fast")

    def vanish(self):
        """The supplier is gone this morning: no shutdown, no last backup, no folder."""
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass  # A child that ended by itself in this moment.
        self.writer.wait()
        shutil.rmtree(self.data)
        shutil.rmtree(self.documents)

    def come_back(self):
        """Its administrators start last night's copy, at the old address."""
        os.rename(self.root + "/nightly", self.data)
        os.mkdir(self.documents)
        self.start_server()

    def processes(self):
        with open(self.data + "/postmaster.pid") as f:
            server = int(f.readline())
        children = subprocess.run(["pgrep", "-P", str(server)], capture_output=True, text=True)
        return [server, *map(int, children.stdout.split())]

    def end(self):
        if self.writer and self.writer.poll() is None:
            self.writer.terminate()
            self.writer.wait()
        if os.path.exists(self.data + "/postmaster.pid"):
            self.call(POSTGRES + "/pg_ctl", "-D", self.data, "-s", "-m", "immediate", "stop")

    # The wards.

    def from_the_wards(self, *argv):
        return [*self.network.inside("camberwick"), *as_postgres(*argv)]

    def start_writer(self):
        self.writer = subprocess.Popen(
            self.from_the_wards(self.epr, "write", "--seed", SEED, "--database", self.database(), "--documents",
                                self.documents, "--log", self.log, "--rate", "40"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def acknowledged(self):
        """How many transactions the clients were told are safe."""
        if not os.path.exists(self.log):
            return 0
        with open(self.log) as f:
            return sum(not line.startswith("#") for line in f)
