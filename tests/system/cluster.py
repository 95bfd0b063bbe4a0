"""A small PostgreSQL cluster below /tmp, of Debian's server."""
import os
import pwd
import shutil
import socket
import subprocess
import tempfile

POSTGRES = "/usr/lib/postgresql/15/bin"
POLLS_MAX = 2000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def as_postgres(*argv):
    return subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *argv],
                          check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout


class Cluster:
    """A small cluster below /tmp, with a role `holdfast` that may replicate and nothing else."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="holdfast-postgres-")
        self.data, self.port = self.root + "/data", free_port()
        owner = pwd.getpwnam("postgres")
        os.chown(self.root, owner.pw_uid, owner.pw_gid)
        as_postgres(POSTGRES + "/initdb", "-D", self.data, "-k", "-N", "-A", "trust", "--locale=C.UTF-8")
        with open(self.data + "/postgresql.conf", "a", encoding="utf-8") as f:
            f.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                    f"unix_socket_directories = '{self.root}'\nmin_wal_size = 32MB\nwal_keep_size = 0\n")
        self.start()
        self.sql("create role holdfast login replication")
        self.sql("create table visits as select i, repeat('x', 400) as note from generate_series(1, 60000) i")

    def start(self):
        # The server must not hold the pipes of whoever waits for pg_ctl's output.
        subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                        POSTGRES + "/pg_ctl", "-w", "-D", self.data, "-l", self.root + "/log", "start"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def stop(self, mode="fast"):
        as_postgres(POSTGRES + "/pg_ctl", "-w", "-D", self.data, "-m", mode, "stop")

    def sql(self, text):
        return as_postgres(POSTGRES + "/psql", "-X", "-q", "-A", "-t", "-h", self.root, "-p", str(self.port),
                           "postgres", "-c", text).strip()

    def slots(self):
        return self.sql("select slot_name from pg_replication_slots")

    def wait(self, condition):
        """Asks again, at the pace of a database session, until it holds."""
        for _ in range(POLLS_MAX):
            if condition():
                return True
        return False

    def close(self):
        if os.path.exists(self.data + "/postmaster.pid"):
            self.stop("immediate")
        shutil.rmtree(self.root)
