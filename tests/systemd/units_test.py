"""The units, without a systemd that runs: systemd-analyze reads them, and their commands are run."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HOLDFAST = os.environ["HOLDFAST"]
UNITS = os.path.join(os.environ["HOLDFAST_SOURCE"], "systemd")


def text_of(unit):
    with open(os.path.join(UNITS, unit), encoding="utf-8") as file:
        return file.read()


def command_of(unit):
    return re.search(r"^ExecStart=(.+)$", text_of(unit), re.MULTILINE).group(1).split()


class UnitsTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="holdfast-test-")
        self.addCleanup(shutil.rmtree, self.root)
        self.home = self.root + "/home"
        self.holdfast("init", "--trust", "Camberwick Green")
        os.mkdir(self.root + "/letters")
        os.mkdir(self.root + "/share")
        with open(self.root + "/epr.toml", "w", encoding="utf-8") as file:
            file.write(f'name = "epr"\ntitle = "T"\n[keep]\nlast = 1\n[[source]]\nkind = "files"\n'
                       f'path = "{self.root}/letters"\n[[source]]\nkind = "landing"\n'
                       f'path = "{self.root}/share"\n')
        self.holdfast("system", "add", self.root + "/epr.toml")

    def words(self, *arguments):
        return [HOLDFAST, "--home", self.home, *arguments]

    def holdfast(self, *arguments):
        done = subprocess.run(self.words(*arguments), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_systemd_reads_them_without_a_word(self):
        units = []
        for path in glob.glob(UNITS + "/*.service") + glob.glob(UNITS + "/*.timer"):
            name = os.path.basename(path)
            with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
                file.write(text_of(name).replace("/usr/bin/holdfast", HOLDFAST))
            units.append(os.path.join(self.root, name.replace("@", "@epr")))
        for path in glob.glob(self.root + "/*@.*"):
            os.symlink(path, path.replace("@", "@epr"))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_each_timer_has_its_service(self):
        for path in glob.glob(UNITS + "/*.timer"):
            self.assertTrue(os.path.exists(path.replace(".timer", ".service")), path)

    def test_what_a_timer_starts_does_its_work(self):
        for name in ("holdfast-snapshot@", "holdfast-prune", "holdfast-verify"):
            program, *arguments = command_of(name + ".service")
            self.assertEqual(program, "/usr/bin/holdfast")
            self.holdfast(*[word.replace("%i", "epr") for word in arguments])
        self.assertIn("epr", self.holdfast("snapshots"))

    def test_what_stays_starts_and_ends_at_a_signal(self):
        for name in ("holdfast", "holdfast-landing@"):
            _, *arguments = command_of(name + ".service")
            with open(self.root + "/share/FULL.bak", "w", encoding="ascii") as file:
                file.write("backup")
            running = subprocess.Popen(
                self.words(*[word.replace("%i", "epr") for word in arguments]), stderr=subprocess.STDOUT,
                stdout=subprocess.PIPE, text=True)
            try:
                if name == "holdfast":
                    self.assertIn("agent started", running.stdout.readline())
                self.assertIsNone(running.poll())
            finally:
                running.terminate()
                said = running.communicate()[0]
            self.assertIn(running.returncode, (0, -15), said)

    def test_a_journal_without_a_folder_to_watch_says_so(self):
        _, *arguments = command_of("holdfast-journal@.service")
        done = subprocess.run(self.words(*[word.replace("%i", "epr") for word in arguments]),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no source of kind \"files\" with journal = true", done.stderr)

    def test_a_stream_without_a_database_says_so(self):
        _, *arguments = command_of("holdfast-stream@.service")
        done = subprocess.run(self.words(*[word.replace("%i", "epr") for word in arguments]),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no source of kind \"postgres\" has stream", done.stderr)


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("skipped: systemd-analyze is not here")
        sys.exit(77)
    unittest.main()
