"""The log of a real PostgreSQL, brought as it is written: what is lost when the source dies, any
moment in between, and what becomes of the source when nobody takes its log."""
import datetime
import json
import os
import select
import signal
import subprocess
import sys
import unittest

from cluster import POSTGRES, Cluster, as_postgres, free_port
from node import HOLDFAST, Node

PATIENCE_S = 60
LOSS_S_MAX = 5
LOAD = """do $$ begin
  for i in 1..1000000 loop
    insert into ticks (at) values (clock_timestamp()); commit;
    if i % 20 = 0 then perform pg_sleep(0.01); end if;
  end loop; end $$"""


class Stream:
    """`holdfast stream`, and the events that it has told."""

    def __init__(self, node, fault=None):
        environment = dict(os.environ)
        if fault is not None:
            environment["HOLDFAST_FAULT"] = str(fault)
        self.process = subprocess.Popen(
            [HOLDFAST, "--home", node.home, "stream", "epr", "--json"], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.events = []

    def next(self):
        """The next event; none if the process has ended."""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        assert ready, f"nothing came after {self.events[-3:]}"
        line = self.process.stdout.readline()
        if not line:
            return None
        self.events.append(json.loads(line))
        return self.events[-1]

    def wait_for(self, kind):
        """The next event of that kind."""
        while True:
            event = self.next()
            assert event is not None, self.process.stderr.read().decode()
            if event["event"] == kind:
                return event

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode, err.decode()


def moment(text):
    """What PostgreSQL says of a time in UTC, as seconds."""
    return datetime.datetime.strptime(text + "+0000", "%Y-%m-%d %H:%M:%S.%f%z").timestamp()


def lsn(text):
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


class StreamTest(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.cluster.sql("alter system set max_slot_wal_keep_size = '1GB'")
        self.cluster.sql("alter system set timezone = 'UTC'")
        self.cluster.sql("select pg_reload_conf()")
        self.cluster.sql("create table ticks (n serial primary key, at timestamp not null)")
        self.node = Node()
        self.addCleanup(self.node.close)
        self.add_system()

    def add_system(self, extra="", stream='stream = "1s"\n'):
        self.node.ok("system", "add", "--replace", self.node.write("epr.toml", f"""name = "epr"
title = "EPR"
{extra}[[source]]
name = "db"
kind = "postgres"
host = "127.0.0.1"
port = {self.cluster.port}
sslmode = "prefer"
{stream}"""))

    def stream(self, fault=None):
        stream = Stream(self.node, fault)
        self.addCleanup(self.reap, stream.process)
        return stream

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def load(self):
        """Commits rows, hundreds a second, until the server dies."""
        process = subprocess.Popen(
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", POSTGRES + "/psql", "-X", "-q",
             "-h", self.cluster.root, "-p", str(self.cluster.port), "postgres", "-c", LOAD],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def ticks(self, where="true", sql=None):
        """How many, and the last."""
        count, last = (sql or self.cluster.sql)(
            f"select count(*) || ' ' || coalesce(max(at)::text, '') from ticks where {where}").split(" ", 1)
        return int(count), last

    def restored(self, name, *arguments):
        """What a restored copy answers to SQL, started as its admin would start it."""
        folder = f"{self.cluster.root}/{name}"
        self.node.ok("restore", "--latest", "epr", "--to", folder, *arguments)
        return self.started(folder)

    def started(self, folder):
        port = free_port()
        subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                        POSTGRES + "/pg_ctl", "-w", "-t", str(PATIENCE_S), "-D", folder, "-l", folder + ".log",
                        "-o", f"-p {port} -k {self.cluster.root}", "start"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(as_postgres, POSTGRES + "/pg_ctl", "-w", "-D", folder, "-m", "immediate", "stop")

        def sql(text):
            return as_postgres(POSTGRES + "/psql", "-X", "-q", "-A", "-t", "-h", self.cluster.root, "-p",
                               str(port), "postgres", "-c", text).strip()
        self.node.wait_until(lambda: sql("select pg_is_in_recovery()") == "f")
        return sql

    def test_a_source_that_dies_under_load_loses_seconds(self):
        stream = self.stream()
        stream.wait_for("streaming")
        self.load()
        for _ in range(4):
            stream.wait_for("tail")
        self.cluster.stop("immediate")
        stream.wait_for("problem")
        code, _ = stream.end()
        self.assertEqual(code, 0)
        sql = self.restored("after")
        count, last = self.ticks(sql=sql)
        self.cluster.start()
        self.assertGreater(count, 500)
        lost = moment(self.ticks()[1]) - moment(last)
        print(f"\nrows committed: {self.ticks()[0]}, restored: {count}, lost: {lost:.3f} s", file=sys.stderr)
        self.assertLess(lost, LOSS_S_MAX)
        self.assertEqual(self.ticks(f"at <= '{last}'"), (count, last))
        self.assertEqual(sql("select count(*) from visits"), "60000")
        self.node.ok("verify", "--read-data")

    def test_when_node_and_source_die_at_once_seconds_are_lost(self):
        stream = self.stream()
        stream.wait_for("streaming")
        self.load()
        for _ in range(4):
            stream.wait_for("tail")
        stream.process.kill()
        self.cluster.stop("immediate")
        sql = self.restored("after")
        count, last = self.ticks(sql=sql)
        self.cluster.start()
        lost = moment(self.ticks()[1]) - moment(last)
        print(f"\nrows committed: {self.ticks()[0]}, restored: {count}, lost: {lost:.3f} s", file=sys.stderr)
        self.assertGreater(count, 500)
        self.assertLess(lost, LOSS_S_MAX)
        self.assertEqual(self.ticks(f"at <= '{last}'"), (count, last))

    def test_any_moment_between_snapshots_comes_back(self):
        stream = self.stream()
        stream.wait_for("streaming")
        self.load()
        for _ in range(3):
            stream.wait_for("tail")
        middle = self.ticks()[1]
        for _ in range(2):
            stream.wait_for("tail")
        # Another snapshot becomes the base; moments before it stay within reach.
        base = self.node.ok("snapshot", "epr", "--json").json()["id"]
        while stream.wait_for("tail"):
            newest = self.node.ok("snapshots", "epr", "--json").json()[-1]
            if newest.get("tail_of") == base:
                break
        after = self.ticks()[1]
        for _ in range(2):
            stream.wait_for("tail")
        self.cluster.stop("immediate")
        stream.end()
        self.cluster.start()
        for name, last in (("middle", middle), ("later", after)):
            with self.subTest(name):
                until = last[:23].replace(" ", "T").ljust(23, "0") + "Z"
                sql = self.restored(name, "--until", until)
                count, newest = self.ticks(sql=sql)
                # The server goes by the moment of the commit, a little after the row's own.
                self.assertEqual((count, newest), self.ticks(f"at <= '{newest}'"))
                self.assertLessEqual(newest, until[:-1].replace("T", " "))
                self.assertGreaterEqual(
                    count, self.ticks(f"at <= timestamp '{until[:-1]}' - interval '50 ms'")[0])
                sql("insert into ticks (at) values (now())")
        refused = self.node.run("restore", "--latest", "epr", "--to", self.node.path("never"), "--until",
                                "2031-01-01T00:00:00Z")
        self.assertEqual(refused.code, 1)
        self.assertIn("no log of \"epr\" reaches 2031-01-01", refused.err)
        self.assertFalse(os.path.exists(self.node.path("never")))
        for wrong in ("yesterday", "2026-02-30T00:00:00Z", "2026-11-28T02:50:00", "2026-11-28T02:50:00Zulu"):
            refused = self.node.run("restore", "--latest", "epr", "--to", self.node.path("never"), "--until", wrong)
            self.assertEqual(refused.code, 2, wrong)
        self.node.ok("prune", "epr", "--keep", "last=2")
        kept = self.node.ok("snapshots", "epr", "--json").json()
        self.assertEqual(len({one["tail_of"] for one in kept if "tail_of" in one}), 2)
        self.node.ok("verify", "--read-data")

    def test_a_stream_that_was_away_goes_on_where_it_was(self):
        stream = self.stream()
        base = stream.wait_for("streaming")["snapshot"]
        self.cluster.sql("insert into ticks (at) values (now())")
        stream.wait_for("tail")
        self.wait_for_silence(stream)
        self.cluster.sql("insert into ticks (at) values (now())")
        stream.wait_for("tail")
        self.assertEqual(stream.end()[0], 0)
        self.cluster.sql("insert into ticks (at) select now() from generate_series(1, 20000)")
        again = self.stream()
        self.assertEqual(again.wait_for("streaming")["snapshot"], base)
        again.wait_for("tail")
        again.end()
        self.assertNotIn("base", [event["event"] for event in again.events])
        self.assertEqual(self.ticks(sql=self.restored("again")), self.ticks())
        second = self.stream()
        second.wait_for("streaming")
        rival = self.stream()
        self.assertIn("in use", rival.wait_for("problem")["text"])

    def test_the_source_holds_no_more_log_than_its_limit(self):
        self.cluster.sql("alter system set max_slot_wal_keep_size = '64MB'")
        self.cluster.sql("alter system set max_wal_size = '64MB'")
        self.cluster.sql("select pg_reload_conf()")
        stream = self.stream()
        first = stream.wait_for("streaming")["snapshot"]
        self.assertEqual(stream.end()[0], 0)
        for _ in range(4):
            self.cluster.sql("insert into visits select i, repeat('y', 400) from generate_series(1, 130000) i")
            self.cluster.sql("checkpoint")
        held = int(self.cluster.sql("select sum(size) from pg_ls_waldir()"))
        self.assertLess(held, 3 * 64 << 20)
        self.assertEqual(self.cluster.sql("select wal_status from pg_replication_slots"), "lost")
        again = self.stream()
        self.assertIn(again.wait_for("base")["text"], [event.get("text") for event in again.events])
        self.assertNotEqual(again.wait_for("streaming")["snapshot"], first)
        self.cluster.sql("insert into ticks (at) values (now())")
        again.wait_for("tail")
        again.end()
        self.assertEqual(self.ticks(sql=self.restored("anew")), self.ticks())

    def test_memory_does_not_grow_with_the_log(self):
        stream = self.stream()
        stream.wait_for("streaming")
        stream.wait_for("tail")
        first = self.memory(stream)
        for _ in range(8):
            self.cluster.sql("insert into visits select i, repeat('z', 400) from generate_series(1, 100000) i")
        end = lsn(self.cluster.sql("select pg_current_wal_lsn()"))
        self.assertGreater(end, 400_000_000)
        while lsn(stream.wait_for("tail")["lsn"]) < end:
            pass
        self.assertLess(self.memory(stream) - first, 200 << 20)
        self.assertEqual(stream.end()[0], 0)

    @staticmethod
    def wait_for_silence(stream):
        """Until nothing has come for three intervals: the stream is idle."""
        while select.select([stream.process.stdout], [], [], 3)[0]:
            stream.next()

    @staticmethod
    def memory(stream):
        with open(f"/proc/{stream.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))

    def test_a_source_without_a_limit_is_refused(self):
        self.cluster.sql("alter system set max_slot_wal_keep_size = -1")
        self.cluster.sql("select pg_reload_conf()")
        refused = self.node.run("stream", "epr")
        self.assertEqual(refused.code, 2)
        self.assertIn("ALTER SYSTEM SET max_slot_wal_keep_size = '4GB'", refused.err)
        self.assertEqual(self.cluster.slots(), "")
        self.add_system(stream="")
        refused = self.node.run("stream", "epr")
        self.assertEqual(refused.code, 2)
        self.assertIn("no source of kind \"postgres\" has stream", refused.err)

    def test_a_locked_system_streams_and_begins_anew_after_a_restart(self):
        self.add_system(extra='opening_keys = "locked"\n')
        stream = self.stream()
        first = stream.wait_for("streaming")["snapshot"]
        self.cluster.sql("insert into ticks (at) values (now())")
        stream.wait_for("tail")
        self.assertEqual(stream.end()[0], 0)
        again = self.stream()
        again.wait_for("streaming")
        self.cluster.sql("insert into ticks (at) values (now())")
        again.wait_for("tail")
        again.end()
        self.assertEqual(self.node.run("restore", "--latest", "epr", "--to", self.node.path("no")).code, 1)
        folder = self.cluster.root + "/rescued"
        done = self.node.rescue("restore", "--latest", "epr", "--to", folder)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(sorted(os.listdir(folder)), ["db", "db.wal"])
        self.assertTrue(first)

    def test_kill_at_every_fault_point(self):
        stream = self.stream()
        stream.wait_for("streaming")
        self.assertEqual(stream.end()[0], 0)
        point, killed, rows = 0, True, 0
        while killed:
            point += 1
            stream = self.stream(fault=point)
            self.cluster.sql("insert into ticks (at) values (now())")
            rows += 1
            event = stream.next()
            while event is not None and event["event"] != "tail":
                event = stream.next()
            if event is not None:
                killed = False
                self.assertEqual(stream.end()[0], 0)
            else:
                stream.process.wait()
                self.assertEqual(stream.process.returncode, -signal.SIGKILL, stream.process.stderr.read())
        self.assertGreater(point, 3)
        print(f"\nfault points tried: {point - 1}", file=sys.stderr)
        self.node.ok("verify", "--read-data")
        self.assertEqual(self.ticks(sql=self.restored("whole")), self.ticks())


if __name__ == "__main__":
    unittest.main(verbosity=1)
