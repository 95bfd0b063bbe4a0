#!/usr/bin/python3
"""first_query.py BUILD [--megabytes N] [--rounds R]: how long until a lost PostgreSQL answers again.

Two ways from the same snapshot, in turns: `copied` restores the cluster to a folder and starts PostgreSQL
there; `attached` mounts the snapshot writable, copying a block only when it is written, and starts there. Each
way is timed from its first command to the answer of the first query, with the page cache dropped before. Tells
the medians and their ratio, judges nothing. As root; everything is made below TMPDIR and removed.
"""
import argparse
import os
import pwd
import shutil
import statistics
import subprocess
import tempfile
import time

POSTGRES = "/usr/lib/postgresql/15/bin/"
MEGABYTES_A_SCALE = 15  # Of pgbench, indexes counted.
QUERY = "select count(*) from pgbench_branches"


def as_postgres(*argv, **options):
    return subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *argv], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options).stdout


class Bench:
    def __init__(self, build, megabytes):
        self.holdfast = os.path.join(build, "bin/holdfast")
        self.root = tempfile.mkdtemp(prefix="holdfast-first-query-")
        self.scale = max(1, megabytes // MEGABYTES_A_SCALE)
        self.data = self.root + "/cluster"
        user = pwd.getpwnam("postgres")
        os.chmod(self.root, 0o755)
        os.chown(self.root, user.pw_uid, user.pw_gid)

    def node(self, *arguments):
        subprocess.run([self.holdfast, "--home", self.root + "/home", *arguments], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def server(self, data, verb):
        options = f"-c listen_addresses= -c unix_socket_directories={self.root} -c archive_mode=off"
        start = ["-w", "-o", options] if verb == "start" else ["-m", "immediate"]
        as_postgres(POSTGRES + "pg_ctl", "-D", data, "-s", "-t", "600", "-l", self.root + "/log", *start, verb)

    def sql(self, *arguments):
        return as_postgres(POSTGRES + "psql", "-h", self.root, "-d", "postgres", "-qAt", *arguments)

    def lose_a_cluster(self):
        as_postgres(POSTGRES + "initdb", "-D", self.data, "-A", "trust", "--locale=C.UTF-8")
        self.server(self.data, "start")
        as_postgres(POSTGRES + "pgbench", "-i", "-q", "-s", str(self.scale), "-h", self.root, "postgres",
                    stderr=subprocess.DEVNULL)
        self.bytes = int(self.sql("-c", "select sum(pg_database_size(oid)) from pg_database"))
        self.node("init", "--trust", "Bench")
        settings = self.root + "/bench.toml"
        with open(settings, "w") as f:
            f.write(f'name = "bench"\ntitle = "Bench"\n[[source]]\nkind = "postgres"\nhost = "{self.root}"\n'
                    f'user = "postgres"\nsslmode = "disable"\n')
        self.node("system", "add", settings)
        self.node("snapshot", "bench")
        self.server(self.data, "stop")
        shutil.rmtree(self.data)

    def answered_after(self, bring):
        subprocess.run(["sync"], check=True)
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3\n")
        start = time.monotonic()
        folder = bring()
        self.server(folder, "start")
        answer = self.sql("-c", QUERY).strip()
        seconds = time.monotonic() - start
        if answer != str(self.scale):
            raise RuntimeError(f"the first query answered {answer}, not {self.scale}")
        self.server(folder, "stop")
        return seconds

    def copied(self):
        folder = self.root + "/copied"

        def bring():
            self.node("restore", "--latest", "bench", "--to", folder)
            return folder

        seconds = self.answered_after(bring)
        shutil.rmtree(folder)
        return seconds

    def attached(self):
        folder = self.root + "/attached"

        def bring():
            self.node("mount", "--latest", "bench", folder, "--writable")
            inside = folder + "/postgres" if os.path.isdir(folder + "/postgres") else folder
            subprocess.run(["chown", "-R", "postgres:postgres", inside], check=True)
            return inside

        seconds = self.answered_after(bring)
        self.node("unmount", folder)
        return seconds

    def end(self):
        for folder in (self.root + "/attached", self.root + "/attached/postgres"):
            if os.path.ismount(folder):
                self.node("unmount", self.root + "/attached")
        shutil.rmtree(self.root)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--megabytes", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    bench = Bench(options.build, options.megabytes)
    try:
        bench.lose_a_cluster()
        copied, attached = [], []
        for _ in range(options.rounds):
            copied.append(bench.copied())
            attached.append(bench.attached())
        a, b = statistics.median(copied), statistics.median(attached)
        print(f"cluster {bench.bytes / 1e9:.2f} GB, {options.rounds} rounds, medians until the first query is answered:\n"
              f"  copied first {a:8.2f} s\n  attached     {b:8.2f} s\n  ratio        {b / a:8.3f}")
    finally:
        bench.end()


main()
