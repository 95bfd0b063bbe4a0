"""Runs at a partner, with the built programs over real TLS: ordered, signed and stopped from the owner's
node, with a release instead of shares; and the refusals that a person meets."""
import sys
import unittest

from trusts import TwoTrusts, can_run_systems


class RunsAtPartnerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trusts = TwoTrusts()
        cls.anna, cls.bert = cls.trusts.anna, cls.trusts.bert

    @classmethod
    def tearDownClass(cls):
        cls.trusts.close()

    def keys(self, *people):
        words = []
        for person in people:
            words += ["--release-key-file", self.anna.path(person + ".key"),
                      "--release-passphrase-file", self.anna.path(person + ".pass")]
        return words

    def test_a_drill_at_a_partner_needs_two_people_and_no_custodian(self):
        done = self.anna.ok("drill", "letters", "--at", "Bert", *self.keys("Ada", "Ben"), "--json")
        run = done.json()
        self.assertEqual(run["state"], "succeeded")
        self.assertEqual(run["kind"], "drill")
        self.assertEqual(run["ordered_by"], "Anna by link, ordered by root")
        self.assertEqual(run["facts"]["release"]["people"], ["Ada", "Ben"])
        self.assertEqual(self.bert.mounts_left(), [])
        report = self.anna.ok("run", "report", str(run["id"]), "--at", "Bert").out
        self.assertIn("Released", report)
        self.assertIn("signed by Ada and Ben", report)
        listed = self.anna.ok("run", "list", "--at", "Bert").out
        self.assertRegex(listed, r"letters-drill-\d+ +succeeded +Bert")
        self.assertIn("here", self.bert.ok("run", "list").out)
        self.assertEqual(self.anna.ok("run", "list", "--json").json(), [])

    def test_one_person_twice_or_alone_releases_nothing(self):
        before = len(self.trusts.runs())
        twice = self.anna.run("drill", "letters", "--at", "Bert", *self.keys("Ada", "Ada"))
        self.assertEqual(twice.code, 1)
        self.assertIn("Ada has signed already; a second person must sign", twice.err)
        alone = self.anna.run("drill", "letters", "--at", "Bert", *self.keys("Ada"))
        self.assertEqual(alone.code, 2)
        self.assertIn("two people release a snapshot", alone.err)
        half = self.anna.path("half.release")
        self.anna.ok("release", "make", "letters", "--for", "Bert", "--out", half)
        self.anna.ok("release", "sign", half, "--key-file", self.anna.path("Ada.key"),
                     "--passphrase-file", self.anna.path("Ada.pass"))
        refused = self.anna.run("drill", "letters", "--at", "Bert", "--release", half)
        self.assertEqual(refused.code, 1)
        self.assertIn("the release of letters", refused.err)
        self.assertEqual(len(self.trusts.runs()), before)

    def test_a_failover_at_a_partner_is_signed_from_here_and_stopped_from_here(self):
        ordered = self.anna.ok("failover", "letters", "--at", "Bert", "--release",
                               self.trusts.release(), "--json").json()
        self.assertEqual(ordered["state"], "waiting")
        number = ordered["id"]
        self.assertEqual(self.trusts.approve(number, "Ada").json()["state"], "waiting")
        again = self.trusts.approve(number, "Ada")
        self.assertEqual(again.code, 1)
        self.assertIn("a second person must sign", again.err)
        opened = self.trusts.approve(number, "Ben").json()
        self.assertEqual(opened["state"], "succeeded")
        self.assertEqual(opened["facts"]["term"], 1)
        # Its term is brought back by hand; the old side's next snapshot is then refused.
        term = self.bert.path("term")
        self.bert.ok("holder", "show", "letters", "--owner", self.anna.id, "--out", term)
        self.anna.ok("holder", "learn", term)
        objects = self.anna.objects("")
        refused = self.anna.run("snapshot", "letters")
        self.assertEqual(refused.code, 1)
        self.assertIn(f"letters is held by Bert ({self.bert.node}) under term 1", refused.err)
        self.assertIn("older copy (term 0). Nothing was copied.", refused.err)
        self.assertEqual(self.anna.objects(""), objects)
        stopped = self.anna.ok("run", "stop", str(number), "--at", "Bert", "--json").json()
        self.assertEqual(stopped["state"], "closed")
        self.trusts.clean()

    def test_what_the_agreement_does_not_let_run_is_refused_at_both_ends(self):
        self.anna.ok("snapshot", "--path", self.anna.path("documents"), "notes")
        self.anna.ok("replicate", "--wait")
        made = self.anna.run("release", "make", "notes", "--for", "Bert", "--out",
                             self.anna.path("notes.release"))
        self.assertEqual(made.code, 1)
        self.assertIn("does not let notes run there", made.err)
        ordered = self.anna.run("drill", "notes", "--at", "Bert")
        self.assertEqual(ordered.code, 1)
        self.assertIn("does not let notes run here", ordered.err)

    def test_a_partner_that_is_away_is_told_in_one_line(self):
        self.bert.replicator.stop()
        away = self.anna.run("run", "list", "--at", "Bert")
        self.assertEqual(away.code, 1)
        self.assertIn("at Bert", away.err)
        self.assertEqual(away.err.count("\n"), 1)
        self.bert.start_replicator()
        self.bert.agent.stop()
        silent = self.anna.run("run", "list", "--at", "Bert")
        self.assertEqual(silent.code, 1)
        self.assertIn("agent does not answer", silent.err)
        self.bert.start_agent()
        self.trusts.runs()


if __name__ == "__main__":
    if not can_run_systems():
        print("skipped: rooms and mounts need root and /dev/fuse")
        sys.exit(77)
    unittest.main()
