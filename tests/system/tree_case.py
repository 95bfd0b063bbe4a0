"""What most suites begin with: a node, and a tree to put into it."""
import shutil
import unittest

from node import Node, make_tree


class TreeCase(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.tree = self.node.path("tree")
        make_tree(self.tree)

    def good(self, *arguments):
        outcome = self.node.run(*arguments)
        self.assertEqual(outcome.code, 0, outcome.err)
        return outcome

    def snapshot(self):
        return self.good("snapshot", "--path", self.tree, "share", "--json").json()

    def restored(self, *arguments):
        to = self.node.path("restored")
        shutil.rmtree(to, ignore_errors=True)
        self.good("restore", *arguments, "--to", to)
        return to
