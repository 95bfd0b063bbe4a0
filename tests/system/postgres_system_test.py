"""Snapshots of a real PostgreSQL that dies, loses its log, or loses whoever copies it."""
import os
import signal
import subprocess
import sys
import unittest

from cluster import POSTGRES, Cluster
from node import HOLDFAST, Node, Outcome, was_killed


class PostgresTest(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.node = Node()
        self.addCleanup(self.node.close)
        settings = self.node.path("epr.toml")
        with open(settings, "w", encoding="utf-8") as f:
            f.write(f'name = "epr"\ntitle = "EPR"\n[[source]]\nkind = "postgres"\nhost = "127.0.0.1"\n'
                    f'port = {self.cluster.port}\nsslmode = "prefer"\n')
        self.good("system", "add", settings)

    def good(self, *arguments):
        outcome = self.node.run(*arguments)
        self.assertEqual(outcome.code, 0, outcome.err)
        return outcome

    def ids(self):
        return [s["id"] for s in self.good("snapshots", "epr", "--json").json()]

    def check_whole(self, before, why):
        """What was there is there, nothing is left on the server, and the next try works."""
        self.good("verify", "--read-data")
        self.assertEqual(self.ids()[:len(before)], before, why)
        self.assertTrue(self.cluster.wait(lambda: self.cluster.slots() == ""), why)
        self.good("snapshot", "epr")

    def stopped_in_the_copy(self):
        """A snapshot that stands still with its slot on the server."""
        process = subprocess.Popen([HOLDFAST, "--home", self.node.home, "snapshot", "epr"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        self.assertTrue(self.cluster.wait(
            lambda: self.cluster.slots() != "" or process.poll() is not None))
        process.send_signal(signal.SIGSTOP)
        self.assertNotEqual(self.cluster.slots(), "", "the copy was over too soon")
        return process

    def finish(self, process):
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate()
        return Outcome(subprocess.CompletedProcess([], process.returncode, out, err))

    def test_kill_at_every_fault_point(self):
        self.good("snapshot", "epr")
        point, killed = 0, True
        while killed:
            point += 1
            self.cluster.sql(f"insert into visits values ({-point}, 'killed at {point}')")
            before = self.ids()
            killed = was_killed(self.node.run("snapshot", "epr", fault=point))
            self.check_whole(before, f"point {point}")
        print(f"fault points tried: {point - 1}", file=sys.stderr)
        self.assertGreater(point, 8)
        to = self.node.path("restored")
        self.good("restore", "--latest", "epr", "--to", to)
        self.assertTrue(os.path.exists(to + "/PG_VERSION"))

    def test_a_server_restarted_in_the_copy(self):
        self.good("snapshot", "epr")
        before = self.ids()
        process = self.stopped_in_the_copy()
        self.cluster.stop("immediate")
        self.cluster.start()
        outcome = self.finish(process)
        self.assertEqual(outcome.code, 1, outcome.out)
        self.assertIn(f"PostgreSQL at 127.0.0.1:{self.cluster.port}", outcome.err)
        self.assertEqual(self.ids(), before)
        self.check_whole(before, "restart")

    def test_a_server_that_threw_its_log_away_in_the_copy(self):
        self.good("snapshot", "epr")
        before = self.ids()
        process = self.stopped_in_the_copy()
        self.cluster.sql("alter system set max_slot_wal_keep_size = '1MB'")
        self.cluster.sql("select pg_reload_conf()")

        def is_lost():
            self.cluster.sql("insert into visits select i, repeat('y', 900) from generate_series(1, 20000) i")
            self.cluster.sql("select pg_switch_wal()")
            self.cluster.sql("checkpoint")
            return self.cluster.sql("select count(*) from pg_replication_slots where wal_status <> 'lost'") == "0"

        self.assertTrue(self.cluster.wait(is_lost))
        outcome = self.finish(process)
        self.assertEqual(outcome.code, 1, outcome.out)
        self.assertRegex(outcome.err, "PostgreSQL at 127.0.0.1")
        self.assertEqual(self.ids(), before)
        self.cluster.sql("alter system reset max_slot_wal_keep_size")
        self.cluster.sql("select pg_reload_conf()")
        self.check_whole(before, "log lost")

    def test_a_role_that_may_not_replicate(self):
        self.good("snapshot", "epr")
        before = self.ids()
        self.cluster.sql("alter role holdfast noreplication")
        outcome = self.node.run("snapshot", "epr")
        self.assertEqual(outcome.code, 1)
        self.assertIn('ALTER ROLE "holdfast" REPLICATION', outcome.err)
        self.cluster.sql("alter role holdfast replication")
        self.check_whole(before, "role")


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.path.exists(POSTGRES + "/initdb"):
        sys.exit(77)  # Needs root, to become the user postgres.
    unittest.main(verbosity=1)
