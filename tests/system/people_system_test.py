"""People, custodians and their shares on one node: what each verb reports, to people and to programs."""
import os
import unittest

from node import Node


class PeopleTest(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.word = self.node.write("word", "correct horse\n")

    def keyed(self, *words):
        key = self.node.path(words[2] + ".key")
        return self.node.ok(*words, "--key-file", key, "--passphrase-file", self.word)

    def test_a_person_is_certified_listed_and_ended(self):
        added = self.keyed("person", "add", "Ada", "--role", "approver", "--json").json()
        listed = self.node.ok("person", "list", "--json").json()
        self.assertEqual([(one["name"], one["key"], one["disabled"]) for one in listed],
                         [("Ada", added["key"], False)])
        self.assertEqual(self.node.ok("person", "disable", "Ada", "--json").json(),
                         {"name": "Ada", "key": added["key"], "disabled": True})
        self.assertTrue(self.node.ok("person", "list", "--json").json()[0]["disabled"])
        self.assertIn("disabled", self.node.ok("person", "list").out)
        self.assertEqual(self.node.run("person", "disable", "Nobody").code, 1)

    def test_a_sign_in_is_taken_away_and_given_back(self):
        self.keyed("person", "add", "Ada", "--role", "viewer")
        self.assertEqual(self.node.ok("person", "sign-in", "Ada", "--remove", "--json").json(),
                         {"name": "Ada", "sign_in": False})
        given = self.node.ok("person", "sign-in", "Ada", "--key-file", self.node.path("Ada.key"), "--json")
        self.assertEqual(given.json(), {"name": "Ada", "sign_in": True})

    def test_two_of_three_custodians_have_the_recovery_key_and_one_has_not(self):
        names = ("Eve", "Frank", "Gil")
        for name in names:
            self.assertEqual(self.keyed("custodian", "add", name, "--json").json()["name"], name)
        listed = self.node.ok("custodian", "list", "--json").json()
        self.assertEqual(sorted(one["name"] for one in listed), list(names))
        kit = self.node.home + "/kit/"
        shared = self.node.ok("recovery", "custody", "--kit", kit + "recovery-kit.json",
                              "--passphrase-file", kit + "passphrase.txt", "--json").json()
        self.assertEqual((shared["threshold"], shared["custodians"]), (2, 3))
        os.makedirs(self.node.path("tree"))
        self.node.ok("snapshot", "--path", self.node.path("tree"), "share")

        shares = [self.node.path(name + ".share") for name in names]
        for name, share in zip(names, shares):
            opened = self.node.ok("custodian", "share", "--key-file", self.node.path(name + ".key"),
                                  "--passphrase-file", self.word, "--out", share, "--json")
            self.assertEqual(opened.json(), {"file": share, "in_clear": True})
            self.assertEqual(os.stat(share).st_mode & 0o077, 0)
        whole = self.node.ok("custodian", "combine", *shares[1:], "--json").json()
        self.assertTrue(whole["opens"])
        self.assertEqual(whole["file"], "")
        self.assertEqual(self.node.run("custodian", "combine", shares[0]).code, 1)


if __name__ == "__main__":
    unittest.main()
