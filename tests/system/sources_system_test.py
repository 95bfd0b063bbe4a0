"""Sources beside folders and PostgreSQL: SQLite files in use, and programs' output."""
import os
import random
import sqlite3
import threading
import unittest

from node import Node, differences


class SourcesTest(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)

    def add(self, name, source):
        path = self.node.write(name + ".toml", f'name = "{name}"\ntitle = "T"\n[[source]]\n{source}\n')
        self.node.ok("system", "add", path)

    def restored(self, system):
        to = self.node.path("restored-" + system)
        self.node.ok("restore", "--latest", system, "--to", to)
        return to


class SqliteTest(SourcesTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.node.path("app"))
        self.path = self.node.path("app/index.db")
        self.add("index", f'kind = "sqlite"\npath = "{self.path}"')

    def fill(self, mode, rows=20_000):
        database = sqlite3.connect(self.path, isolation_level=None)
        database.execute(f"PRAGMA journal_mode = {mode}")
        database.execute("CREATE TABLE total (sum INTEGER)")
        database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, value INTEGER, noise BLOB)")
        noise = random.Random(1)
        database.execute("BEGIN")
        database.executemany("INSERT INTO item VALUES (?, 1, ?)",
                             ((i, noise.randbytes(200)) for i in range(rows)))
        database.execute("INSERT INTO total SELECT sum(value) FROM item")
        database.execute("COMMIT")
        return database

    def check(self, path):
        """Each transaction left the total right; answers it."""
        copy = sqlite3.connect(path)
        self.assertEqual(copy.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        total, found = copy.execute(
            "SELECT (SELECT sum FROM total), (SELECT sum(value) FROM item)").fetchone()
        self.assertEqual(total, found)
        copy.close()
        return total

    def test_a_database_is_of_one_moment_while_its_application_writes(self):
        for mode in ("wal", "delete"):
            with self.subTest(mode):
                for end in ("", "-wal", "-shm"):
                    if os.path.exists(self.path + end):
                        os.unlink(self.path + end)
                before = self.check_total(self.fill(mode))
                stop = threading.Event()
                writer = threading.Thread(target=self.write, args=(stop,))
                writer.start()
                try:
                    self.node.ok("snapshot", "index")
                finally:
                    stop.set()
                    writer.join()
                after = self.check(self.path)
                self.assertGreater(after, before)
                to = self.node.path("restored-" + mode)
                self.node.ok("restore", "--latest", "index", "--to", to)
                self.assertEqual(os.listdir(to), ["index.db"])
                self.assertTrue(before <= self.check(os.path.join(to, "index.db")) <= after)
                self.assertEqual([name for name in os.listdir(self.node.home + "/state")
                                  if name.startswith("sqlite-copy")], [])

    def check_total(self, database):
        total = database.execute("SELECT sum FROM total").fetchone()[0]
        database.close()
        return total

    def write(self, stop):
        database = sqlite3.connect(self.path, isolation_level=None, timeout=60)
        where = random.Random(2)
        while True:
            database.execute("BEGIN IMMEDIATE")
            for _ in range(20):
                database.execute("UPDATE item SET value = value + 1 WHERE id = ?",
                                 (where.randrange(20_000),))
            database.execute("UPDATE total SET sum = sum + 20")
            database.execute("COMMIT")
            if stop.is_set():
                break
        database.close()

    def test_a_changed_row_costs_its_pages(self):
        database = self.fill("delete")
        first = self.node.ok("snapshot", "index", "--json").json()
        self.assertGreater(first["new_bytes"], 4_000_000)
        database.execute("UPDATE item SET value = 7 WHERE id = 9000")
        database.close()
        second = self.node.ok("snapshot", "index", "--json").json()
        self.assertLess(second["new_bytes"], first["new_bytes"] / 8)
        copy = os.stat(os.path.join(self.restored("index"), "index.db"))
        original = os.stat(self.path)
        for field in ("st_mode", "st_uid", "st_gid", "st_mtime_ns", "st_size"):
            self.assertEqual(getattr(copy, field), getattr(original, field), field)

    def test_a_damaged_database_is_kept_with_a_warning(self):
        self.fill("delete").close()
        with open(self.path, "r+b") as file:
            file.seek(1_000_000)
            file.write(b"\xff" * 100_000)
        outcome = self.node.run("snapshot", "index")
        self.assertEqual(outcome.code, 3)
        self.assertIn("index.db: the database says of itself", outcome.err)

    def test_what_is_no_database_is_told(self):
        self.assertIn("No such file", self.node.run("snapshot", "index").err)
        with open(self.path, "wb") as file:
            file.write(os.urandom(10_000))
        outcome = self.node.run("snapshot", "index")
        self.assertEqual(outcome.code, 1)
        self.assertIn(self.path, outcome.err)
        self.assertIn("not a database", outcome.err)
        self.assertEqual(self.node.ok("snapshots", "--json").json(), [])

    def test_a_copy_that_a_killed_snapshot_left_is_removed(self):
        self.fill("delete").close()
        left = os.path.join(self.node.home, "state/sqlite-copy-999999999-00")
        with open(left, "wb") as file:
            file.write(b"clinical")
        self.node.ok("snapshot", "index")
        self.assertFalse(os.path.exists(left))


class CommandTest(SourcesTest):
    def program(self, text):
        path = self.node.write("dump", "#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def output_of(self, text, more=""):
        self.add("dump", f'kind = "command"\ncommand = ["{self.program(text)}", "a b", "$HOME"]\n{more}')

    def test_what_a_program_says_is_kept(self):
        self.output_of('echo "<$1> <$2>"; head -c 3000000 /dev/zero; pwd; echo aside >&2',
                       'file = "all.sql"')
        self.node.ok("snapshot", "dump")
        with open(os.path.join(self.restored("dump"), "all.sql"), "rb") as file:
            self.assertEqual(file.read(), b"<a b> <$HOME>\n" + bytes(3_000_000) + b"/\n")

    def test_nothing_said_is_an_empty_file(self):
        self.output_of("exit 0")
        self.node.ok("snapshot", "dump")
        self.assertEqual(os.path.getsize(os.path.join(self.restored("dump"), "output")), 0)

    def test_a_program_that_fails_leaves_no_snapshot(self):
        for text, told in (("echo half; echo no such table >&2; exit 4", "ended with 4: no such table"),
                           ("echo half; kill -9 $$", "ended with 137")):
            with self.subTest(text):
                if os.path.exists(os.path.join(self.node.home, "systems/dump.toml")):
                    self.program(text)
                else:
                    self.output_of(text)
                outcome = self.node.run("snapshot", "dump")
                self.assertEqual(outcome.code, 1)
                self.assertIn(told, outcome.err)
                self.assertEqual(self.node.ok("snapshots", "--json").json(), [])

    def test_a_program_that_is_not_there_or_never_ends_is_told(self):
        self.add("none", 'kind = "command"\ncommand = ["/nowhere/dump"]')
        self.assertIn("/nowhere/dump is not here", self.node.run("snapshot", "none").err)
        self.output_of("exec tail -f /dev/null", 'timeout = "1s"')
        outcome = self.node.run("snapshot", "dump")
        self.assertEqual(outcome.code, 1)
        self.assertIn("took longer than 1 s", outcome.err)
        self.assertEqual(self.node.ok("snapshots", "--json").json(), [])

    def test_a_dump_beside_a_folder_is_one_snapshot(self):
        os.mkdir(self.node.path("tree"))
        self.node.write("tree/letter", "Dear colleague")
        self.add("both", f'kind = "files"\npath = "{self.node.path("tree")}"\n[[source]]\n'
                         f'kind = "command"\ncommand = ["/bin/echo", "dump"]')
        self.node.ok("snapshot", "both")
        to = self.restored("both")
        self.assertEqual(differences(self.node.path("tree"), to + "/files"), [])
        self.assertEqual(sorted(os.listdir(to)), ["command", "files"])


if __name__ == "__main__":
    unittest.main()
