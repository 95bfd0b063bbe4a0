"""Pippin Hosting, who runs Camberwick Green's record system: a PostgreSQL and a folder of documents."""
import os
import pwd
import shutil
import signal
import socket
import subprocess

POSTGRES = "/usr/lib/postgresql/15/bin"
SEED = "1966"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def as_postgres(*argv, **options):
    return subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *argv],
                          check=True, stdin=subprocess.DEVNULL, **options)


class Clinic:
    """Everything is made below `root`; `epr` is the program holdfast-demo-epr."""

    def __init__(self, root, epr, megabytes):
        self.root, self.epr, self.megabytes = root, epr, str(megabytes)
        self.data = os.path.join(root, "postgres")
        self.documents = os.path.join(root, "documents")
        self.log = os.path.join(root, "acknowledged.log")  # Outside the database: the clients' memory.
        self.port = free_port()
        self.writer = None
        os.makedirs(root)
        owner = pwd.getpwnam("postgres")
        os.chown(root, owner.pw_uid, owner.pw_gid)

    def database(self, port=None, host=None):
        return f"host={host or self.root} port={port or self.port} user=postgres dbname=epr"

    def start(self):
        as_postgres(POSTGRES + "/initdb", "-D", self.data, "-k", "-A", "trust", "-E", "UTF8",
                    "--locale=C.UTF-8", stdout=subprocess.DEVNULL)
        with open(self.data + "/postgresql.conf", "a") as f:
            f.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                    f"unix_socket_directories = '{self.root}'\n")
        self.start_server()
        as_postgres(POSTGRES + "/createdb", "-h", self.root, "-p", str(self.port), "epr")
        as_postgres(POSTGRES + "/psql", "-q", "-h", self.root, "-p", str(self.port), "epr", "-c",
                    "create role holdfast login replication")
        self.run("load", "--documents", self.documents, "--megabytes", self.megabytes,
                 stdout=subprocess.DEVNULL)

    def start_server(self):
        as_postgres(POSTGRES + "/pg_ctl", "-D", self.data, "-w", "-s", "-l", self.root + "/server.log",
                    "start")

    def run(self, verb, *arguments, **options):
        return as_postgres(self.epr, verb, "--seed", SEED, "--database", self.database(), *arguments,
                           **options)

    def start_writer(self):
        self.writer = subprocess.Popen(
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", self.epr, "write",
             "--seed", SEED, "--database", self.database(), "--documents", self.documents,
             "--log", self.log, "--rate", "40"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def acknowledged(self):
        """How many transactions the clients were told are safe."""
        with open(self.log) as f:
            return sum(not line.startswith("#") for line in f)

    def vanish(self):
        """The supplier is gone this morning: no shutdown, no last backup, no folder."""
        with open(self.data + "/postmaster.pid") as f:
            server = int(f.readline())
        children = subprocess.run(["pgrep", "-P", str(server)], capture_output=True, text=True)
        for process in [server, *map(int, children.stdout.split())]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass  # A child that ended by itself in this moment.
        self.writer.wait()
        shutil.rmtree(self.data)
        shutil.rmtree(self.documents)
