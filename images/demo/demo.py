"""The demo: a supplier and a trust's own node are gone, and a partner brings the system back.

Nothing here is prepared: the data is made from a seed, the writer never stops for a snapshot, and what
came back is compared with what the seed says it must be at that transaction. See README.md.
"""
import argparse
import sys

from screen import show_screen
from story import Story


def main():
    parser = argparse.ArgumentParser(prog="./run demo")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--megabytes", type=int, default=300, metavar="N",
                        help="how much synthetic data the record system begins with (default 300)")
    parser.add_argument("--keep", action="store_true", help="leave it running for a look")
    options = parser.parse_args()
    if not 1 <= options.megabytes <= 100_000:
        parser.error("--megabytes: expected 1 to 100000")
    story = Story(options.build, options.megabytes)
    try:
        story.three_trusts()
        story.the_supplier_runs_the_records()
        story.partners_agree()
        story.snapshots_travel()
        story.everything_is_lost()
        story.two_people_order_the_run()
        story.an_empty_machine_becomes_the_node()
        story.the_wards_ask()
        story.the_supplier_comes_back()
        show_screen(story)
        if options.keep:
            story.keep()
    finally:
        story.end()


if __name__ == "__main__":
    main()
    sys.exit(0)
