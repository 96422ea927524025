#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What llvm-cov found, against the list of branches that can't be taken.

branches.py EXPORT LIST    EXPORT is of "llvm-cov export"; LIST has a line for each branch
branches.py --missed EXPORT LIST    only the missed ones, as lines for the list

A line of the list: FILE, "true" or "false", the condition, why; between them " | ". The condition is
the source text that llvm-cov calls the branch, with white space made one blank, so that it stays true when
lines move. A line whose branch is gone or was taken is a failure: the list does not rot.
"""

import collections
import json
import os
import sys

# Per cent of the branches, without those of the list; and of the lines, whatever the list says.
WANTED = {"src/core": 100.0, "src/probe": 95.0, "crypto": 95.0}
WANTED_LINES = 95.0
# llvm-cov computes some counts as the difference of two, and shows one that is below zero as a number above this.
COUNT_MAX = 1 << 62


def source_text(lines, begin_line, begin_column, end_line, end_column):
    if begin_line == end_line:
        text = lines[begin_line - 1][begin_column - 1:end_column - 1]
    else:
        text = "\n".join([lines[begin_line - 1][begin_column - 1:], *lines[begin_line:end_line - 1],
                          lines[end_line - 1][:end_column - 1]])
    return b" ".join(text.encode().split()).decode()


def room_of(path):
    return next((room for room in WANTED if path.startswith(room + "/")), None)


def read(export):
    """(file, side, condition) → how often, one for each place; file → (lines, of which run)"""
    with open(export, encoding="utf-8") as file:
        data = json.load(file)["data"][0]
    sides, lines = collections.defaultdict(int), {}
    for item in data["files"]:
        path = os.path.relpath(item["filename"])
        if room_of(path) is None:
            continue
        lines[path] = (item["summary"]["lines"]["count"], item["summary"]["lines"]["covered"])
        with open(path, encoding="utf-8") as file:
            source = file.read().split("\n")
        for branch in item["branches"]:
            condition = source_text(source, *branch[:4])
            sides[(path, branch[0], branch[1], "true", condition)] += branch[4]
            sides[(path, branch[0], branch[1], "false", condition)] += branch[5]
    return sides, lines


def read_list(path):
    known = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            # The condition may have "||" in it, but no " | ".
            part = line.rstrip("\n").split(" | ")
            if len(part) != 4 or not part[3].strip():
                sys.exit(f"{path}:{number}: not FILE | SIDE | CONDITION | WHY")
            known[tuple(part[:3])] = number
    return known


class Results:
    passed = failed = 0

    def note(self, name, wrong):
        if wrong:
            self.failed += 1
            print(f"not ok {name}: {'; '.join(wrong)}")
        else:
            self.passed += 1
            print(f"ok {name}")


def table(sides, lines, known):
    print(f"    {'file':26}{'lines':>8}{'run':>8}{'branches':>10}{'taken':>8}{'listed':>8}{'per cent':>10}")
    total = collections.defaultdict(lambda: [0] * 5)
    for path, (count, run) in sorted(lines.items()):
        here = [(key, n) for key, n in sides.items() if key[0] == path]
        taken = sum(n > 0 for _, n in here)
        listed = sum(n == 0 and (path, *key[3:]) in known for key, n in here)
        row = [count, run, len(here), taken, listed]
        for name in (path, room_of(path)):
            total[name] = [a + b for a, b in zip(total[name], row)] if name != path else row
        print_row(path, row)
    for room in WANTED:
        print_row("all of " + room, total[room])
    return total


def per_cent(row):
    reachable = row[2] - row[4]
    return 100.0 * row[3] / reachable if reachable else 100.0


def print_row(name, row):
    print(f"    {name:26}{row[0]:8}{row[1]:8}{row[2]:10}{row[3]:8}{row[4]:8}{per_cent(row):10.1f}")


def main(arguments):
    missed_only = arguments[:1] == ["--missed"]
    export, list_path = arguments[missed_only:]
    sides, lines = read(export)
    known = read_list(list_path)
    missed = [key for key, n in sorted(sides.items()) if n == 0]
    unlisted = [key for key in missed if (key[0], *key[3:]) not in known]
    if missed_only:
        for key in unlisted:
            print(key[0], key[3], key[4], f"(line {key[1]})", sep=" | ")
        return 0
    results = Results()
    total = table(sides, lines, known)
    for room, wanted in WANTED.items():
        here = [key for key in unlisted if room_of(key[0]) == room]
        enough = total[room][2] > 0 and per_cent(total[room]) >= wanted
        results.note(f"{wanted:g} % of the branches of {room} are taken, or listed: {per_cent(total[room]):.1f} %",
                     [] if enough else [f"{key[0]}:{key[1]}: never {key[3]}: {key[4]}" for key in here[:40]])
        run = 100.0 * total[room][1] / max(total[room][0], 1)
        results.note(f"{WANTED_LINES:g} % of the lines of {room} are run: {run:.1f} %",
                     [] if run >= WANTED_LINES else [f"{total[room][0] - total[room][1]} are not"])
    results.note("no counter has lost a count",
                 [f"{key[0]}:{key[1]}: {n} times {key[3]}: {key[4]}" for key, n in sides.items() if n > COUNT_MAX])
    found = {(key[0], *key[3:]) for key in missed}
    results.note(f"each of the {len(known)} branches of the list is there and can't be taken",
                 [f"line {number}: {' | '.join(key)}" for key, number in known.items() if key not in found])
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


sys.exit(main(sys.argv[1:]))
