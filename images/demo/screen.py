"""The one screen at the end: every number is measured in this run."""
import re
import time


def proof_of(run):
    """What the record system's own comparison said, asked by the run in its sealed room."""
    said = next(one["said"] for one in run["facts"]["checks"] if one["name"] == "all content is what it was")
    rows = [int(number) for number in re.findall(r"(\d+) rows .* equal", said)]
    return {"n": int(re.search(r"after transaction (\d+)", said)[1]), "tables": len(rows), "rows": sum(rows),
            "files": int(re.search(r"(\d+) files .* equal", said)[1])}


def show_screen(story):
    proof = proof_of(story.run)
    lost, measured = story.lost(proof["n"]), story.run["measured"]
    start = next(step for step in story.run["steps"] if step["name"] == "start")
    answers = (start["ended_ms"] - story.run["ordered_ms"]) / 1000
    stored = [(one.name, one.stored("vault"), one.stored("tenants")) for one in story.trusts]
    print(f"""
  Data lost    {lost['transactions']} acknowledged transactions beyond {proof['n']}: {lost['rows']} rows, \
{lost['seconds']:.1f} s of work
  Proven       {proof['tables']} tables, {proof['rows']} rows and {proof['files']} files are what the seed says \
at transaction {proof['n']}
  First answer {answers:.1f} s after the order (PostgreSQL answers, sealed)
  Full         {measured['time_to_proof_ms'] / 1000:.1f} s after the order (every row and file read and compared)
  Open         {measured['time_to_run_ms'] / 1000:.1f} s after the order, people included; term \
{story.run['facts']['term']}; a ward was answered through the relay {story.answered - story.ordered:.1f} s after it
  Link         {story.latency_ms():.2f} ms to connect from Camberwick Green to Trumpton
  Stored""")
    for name, own, hosted in stored:
        print(f"    {name:<17}{own / 2**20:8.1f} MiB of its own, {hosted / 2**20:8.1f} MiB for partners")
    print("  Consoles")
    for one in story.trusts:
        print(f"    {one.name:<17}{one.console()}")
    print(f"  The whole demo took {time.monotonic() - story.began:.0f} s.\n", flush=True)
