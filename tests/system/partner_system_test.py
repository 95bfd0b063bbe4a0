"""Two trusts: pairing, agreements, replication, restore from the partner; and partners who fail or lie."""
import os
import random
import shutil
import unittest

from node import RunningNode, agree, change_tree, differences, make_tree, pair


class PartnerTest(unittest.TestCase):
    def setUp(self):
        self.owner = self.node("Camberwick Green")
        self.host = self.node("Trumpton")
        self.tree = self.owner.path("tree")
        make_tree(self.tree)

    def node(self, trust):
        node = RunningNode(trust)
        self.addCleanup(node.close)
        return node.start()

    def snapshot(self):
        return self.owner.ok("snapshot", "--path", self.tree, "share", "--json").json()

    def ready(self):
        pair(self.host, self.owner)
        agree(self.owner, self.host)
        snapshot = self.snapshot()
        self.owner.ok("replicate", "--wait")
        return snapshot

    def restored(self, *arguments):
        to = self.owner.path("restored")
        shutil.rmtree(to, ignore_errors=True)
        return to, self.owner.run("restore", *arguments, "--to", to, "--from", "Trumpton")

    def tenancy(self, folder):
        found = []
        for at, _, names in os.walk(os.path.join(self.host.home, "tenants")):
            found += [os.path.join(at, name) for name in names if f"/vault/{folder}" in at]
        return sorted(found)

    def damage(self, path):
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))

    def test_damage_here_is_mended_from_the_partner(self):
        with open(os.path.join(self.tree, "large"), "wb") as file:
            file.write(os.urandom(6_000_000))
        self.ready()
        clean = self.owner.ok("repair")
        self.assertIn("nothing is damaged", clean.out)
        pack = max(self.owner.objects("pack"), key=os.path.getsize)
        entry = self.owner.objects("ledger")[-1]
        lists = self.owner.objects("list")[0]
        self.damage(pack)
        self.damage(entry)
        os.unlink(lists)
        self.assertEqual(self.owner.run("verify").code, 1)
        done = self.owner.ok("repair", "--json").json()
        mended = {one["object"]: one for one in done["mended"]}
        names = [os.path.relpath(path, self.owner.vault) for path in (pack, entry, lists)]
        self.assertEqual(set(mended), set(names))
        self.assertLess(mended[names[0]]["fetched_bytes"], os.path.getsize(pack) / 4)
        self.owner.ok("verify", "--read-data")
        self.assertTrue(os.listdir(os.path.join(self.owner.home, "state/quarantine")))
        to = self.owner.path("restored")
        self.owner.ok("restore", "--latest", "share", "--to", to)
        self.assertEqual(differences(self.tree, to), [])

    def test_damage_that_the_partner_has_too_is_told(self):
        self.ready()
        pack = self.owner.objects("pack")[0]
        self.damage(pack)
        theirs = [one for one in self.tenancy("pack") if one.endswith(os.path.basename(pack))]
        self.damage(theirs[0])
        outcome = self.owner.run("repair")
        self.assertEqual(outcome.code, 1)
        self.assertIn("Trumpton", outcome.err)
        self.assertIn("still damaged: pack/", outcome.err)
        self.owner.stop()
        away = self.owner.run("repair")
        self.assertEqual(away.code, 1)
        self.assertIn("is not running", away.err)

    def test_a_pruned_vault_is_the_same_here_and_there(self):
        self.ready()
        for number in range(3):
            change_tree(self.tree, number)
            self.snapshot()
        self.owner.ok("prune", "--keep", "last=2", "--unused", "0", "--large")
        newest = self.snapshot()
        self.owner.ok("replicate", "--wait")
        here = self.owner.ok("snapshots", "--json").json()
        self.assertEqual(len(here), 3)
        self.assertEqual(self.owner.ok("snapshots", "--from", "Trumpton", "--json").json(), here)
        to, outcome = self.restored(newest["id"])
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(differences(self.tree, to), [])
        to, outcome = self.restored(here[0]["id"])
        self.assertEqual(outcome.code, 0, outcome.err)

    def test_both_sides_see_the_same_words_and_an_unconfirmed_partner_is_shown_as_such(self):
        words = pair(self.host, self.owner, confirm=False)
        self.assertEqual(len(words.split()), 8)
        for node in (self.owner, self.host):
            listed = node.ok("partner", "list").out
            self.assertIn(words, listed)
            self.assertIn("UNCONFIRMED", listed)
        proposed = self.owner.run("agreement", "propose", "Trumpton", "--quota", "1GiB", "--hold-days",
                                  "30")
        self.assertEqual(proposed.code, 3)
        self.assertIn("compare the words", proposed.err)
        self.owner.ok("partner", "confirm", "Trumpton")
        self.assertNotIn("UNCONFIRMED", self.owner.ok("partner", "list").out)

    def test_what_a_partner_holds_is_looked_into_from_here(self):
        first = self.ready()["id"]
        self.owner.write("tree/late", "came later")
        second = self.snapshot()["id"]
        self.owner.ok("replicate", "--wait")
        here = self.owner.ok("ls", "share", "--all", "--json").json()
        os.rename(self.owner.vault, self.owner.path("lost"))
        there = ("--from", "Trumpton")
        self.assertEqual(self.owner.ok("ls", "share", "--all", "--json", *there).json(), here)
        self.assertEqual(self.owner.ok("cat", second, "late", *there).out, "came later")
        self.assertIn("came later", self.owner.ok("tar", second, "late", *there).out)
        self.assertIn("+ late\n", self.owner.ok("diff", first, second, *there).out)
        self.assertEqual([one["path"] for one in self.owner.ok("find", "late", "--json", *there).json()],
                         ["late"])

    def test_an_agreement_says_what_it_lacks_until_both_have_signed(self):
        pair(self.host, self.owner)
        self.owner.ok("agreement", "propose", "Trumpton", "--quota", "500GiB", "--hold-days", "90",
                      "--may-run", "epr", "--contact", "Duty admin, 01234 5", "--notice-days", "0")
        shown = self.host.ok("agreement", "show").out
        for text in ("500.0 GiB", "at least 90 days", "epr", "Duty admin, 01234 5",
                     "missing is the signature of Trumpton"):
            self.assertIn(text, shown)
        self.snapshot()
        refused = self.owner.run("replicate", "Trumpton", "--wait")
        self.assertEqual(refused.code, 3)
        self.assertIn("no agreement in force", refused.err)
        self.host.ok("agreement", "sign", "Camberwick Green")
        self.assertEqual(self.host.run("agreement", "sign", "Camberwick Green").code, 1)
        self.assertIn("In force", self.owner.ok("agreement", "show", "Trumpton").out)
        self.owner.ok("replicate", "--wait")

        self.owner.ok("agreement", "end", "Trumpton")
        self.host.ok("agreement", "sign", "Camberwick Green")
        self.owner.wait_for(lambda: not self.owner.ok("agreement", "show", "--json").json())
        ended = self.owner.ok("agreement", "show", "--all", "--json").json()
        self.assertEqual([one["state"] for one in ended], ["replaced", "ended"])
        self.assertEqual(self.owner.run("replicate", "Trumpton").code, 3)

    def test_what_was_replicated_comes_back_when_the_vault_is_gone(self):
        first = self.ready()
        agree(self.host, self.owner)
        listed = self.owner.ok("snapshots", "--from", "Trumpton", "--json").json()
        self.assertEqual([one["id"] for one in listed], [first["id"]])
        copies = self.owner.ok("status", "--json").json()["systems"][0]["copies"]
        self.assertEqual([(one["place"], one["proven"], one["snapshot"]) for one in copies],
                         [("Camberwick Green", "stored", first["id"]),
                          ("Trumpton", "receipted", first["id"])])

        shutil.rmtree(self.owner.vault)
        lost = self.owner.run("snapshots")
        self.assertEqual(lost.code, 1)
        self.assertIn("--from PARTNER", lost.err)
        self.owner.stop()
        self.owner.start()
        to, done = self.restored("--latest", "share")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(differences(self.tree, to), [])
        to, done = self.restored(first["id"][:12], "--include", "**/note-1.txt")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual([n for _, _, names in os.walk(to) for n in names], ["note-1.txt"])

        self.host.ok("snapshot", "--path", self.tree, "theirs")  # And it goes on keeping others' data.
        self.host.ok("replicate", "--wait")
        self.assertTrue(os.listdir(os.path.join(self.owner.home, "tenants")))

    def test_a_snapshot_is_brought_by_itself_while_the_node_runs(self):
        self.ready()
        change_tree(self.tree, 5)
        newer = self.snapshot()
        self.owner.wait_for(lambda: newer["id"] in self.owner.ok("snapshots", "--from", "Trumpton",
                                                                 "--json").out)

    def test_a_partner_that_lies_is_found_out_and_what_is_sound_is_restored(self):
        first = self.ready()
        sound = set(self.tenancy("pack"))
        with open(self.tree + "/scan", "wb") as file:
            file.write(random.Random(5).randbytes(1 << 20))
        self.snapshot()
        self.owner.ok("replicate", "--wait")
        largest = max(set(self.tenancy("pack")) - sound, key=os.path.getsize)
        with open(largest, "r+b") as file:
            file.seek(os.path.getsize(largest) // 3)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        to, done = self.restored("--latest", "share")
        self.assertEqual(done.code, 1)
        self.assertIn("Trumpton", done.err)
        self.assertIn(os.path.basename(largest), done.err)
        to, done = self.restored(first["id"])
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(os.listdir(to).count("scan"), 0)

    def test_another_trust_at_the_partners_address_is_refused(self):
        self.ready()
        self.host.stop()
        stranger = RunningNode("Chigley")
        self.addCleanup(stranger.close)
        settings = os.path.join(stranger.home, "node.toml")
        with open(settings, encoding="utf-8") as file:
            text = file.read()
        with open(settings, "w", encoding="utf-8") as file:
            file.write(text.replace(stranger.address, self.host.address))
        stranger.start()
        change_tree(self.tree, 2)
        self.snapshot()
        refused = self.owner.run("replicate", "--wait")
        self.assertEqual(refused.code, 1)
        self.assertIn("Trumpton", refused.err)
        self.assertEqual(self.owner.run("snapshots", "--from", "Trumpton").code, 1)

    def test_invitations_that_do_not_hold_are_refused(self):
        bad = self.owner.write("bad", "holdfast invitation 1\ntrust: abc\n")
        refused = self.owner.run("partner", "accept", bad)
        self.assertEqual(refused.code, 2)
        invitation = self.host.path("invitation")
        self.host.ok("partner", "invite", "--out", invitation)
        self.assertNotEqual(self.host.run("partner", "accept", invitation).code, 0)
        self.owner.ok("partner", "accept", invitation)
        third = self.node("Chigley")
        used = third.run("partner", "accept", invitation)
        self.assertEqual(used.code, 1)
        self.assertIn("used already", used.err)
        self.assertEqual(self.owner.run("agreement", "show", "Nobody").code, 1)

    def test_a_partner_dies_at_every_step_of_a_transfer(self):
        self.ready()
        point, died = 0, True
        while died:
            point += 1
            change_tree(self.tree, point)
            self.host.stop()
            self.host.start(fault=point)
            newest = self.snapshot()
            self.owner.ok("replicate")
            brought = lambda: newest["id"] in self.owner.run("snapshots", "--from", "Trumpton",
                                                             "--json").out
            self.owner.wait_for(lambda: self.host.ended() or brought())
            died = self.host.ended()
            if died:
                self.host.start()
            self.owner.ok("replicate", "--wait")
            to, done = self.restored("--latest", "share")
            self.assertEqual(done.code, 0, f"point {point}: {done.err}")
            self.assertEqual(differences(self.tree, to), [], f"point {point}")
        print(f"fault points of the host tried: {point - 1}")
        self.assertGreater(point, 5)


if __name__ == "__main__":
    unittest.main(verbosity=1)
