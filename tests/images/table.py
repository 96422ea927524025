# SPDX-License-Identifier: Apache-2.0
"""
The table: what is wrong with an image → the reason for which it is refused.

A row's image differs from an ordinary one by one defect. Its `differs` names the facts (facts.py) that
are others than those of the ordinary image, with what they are now; nothing else may differ, so the
defect is really in the image, and alone.
"""

import os
import re
from dataclasses import dataclass, field

import facts
from world import ANCHORS

GONE = "(gone)"  # the fact is missing, since what it hangs on can't be read
ANY = "(any)"    # some other value, or none


@dataclass
class Row:
    name: str              # the image's, too
    reason: str            # "accepted", or why not
    cases: tuple           # which lines of the list of bad inputs it belongs to
    differs: dict          # fact, or its beginning and "*" → value, GONE, ANY, regular expression;
                           # with "?" before it, if that depends
    generate: object       # (image, world) → None, or another image
    deep: str = None       # with --deep, if another reason
    base: dict = field(default_factory=dict)   # how the ordinary image to compare with is made
    build: dict = field(default_factory=dict)  # … and this one, where that differs
    has: dict = None       # facts that it has; for an ordinary image of another kind
    anchors: tuple = ANCHORS
    policy: str = None     # --policy, if not the default one

    @property
    def is_usual(self):
        """Judged as all others, by the same certificates and policy."""
        return self.anchors == ANCHORS and self.policy is None

    def image(self, world):
        image = world.image(**{**self.base, **self.build})
        return self.generate(image, world) or image


ROWS = []


def row(name, reason, cases, differs=None, **more):
    """Decorates what generates the defect."""
    def add(generate):
        numbers = cases if isinstance(cases, tuple) else (cases,)
        ROWS.append(Row(name, reason, numbers, differs or {}, generate, **more))
        return generate
    return add


def rows():
    """All of them, in the order of the list."""
    # pylint: disable=import-outside-toplevel,unused-import
    import cases_gpt
    import cases_envelope
    import cases_signature
    import cases_superblock
    import cases_policy
    names = [r.name for r in ROWS]
    twice = {n for n in names if names.count(n) > 1}
    assert not twice, f"rows of one name: {twice}"
    return ROWS


# ---- is the defect in the image? ---------------------------------------------------------------

def is_as_said(value, said):
    if said is ANY:
        return True
    if isinstance(said, re.Pattern):
        return isinstance(value, str) and bool(said.search(value))
    return value == said


def matching(patterns, key):
    """Those of the patterns that are about a fact."""
    plain = {p: p.removeprefix("?") for p in patterns}
    return [p for p, q in plain.items() if key == q or q.endswith("*") and key.startswith(q[:-1])]


def compare(ordinary, found, differs):
    """What is not as `differs` says, as text; empty when all is."""
    wrong, seen = [], set()
    for key in sorted(ordinary.keys() | found.keys()):
        before, now = ordinary.get(key, GONE), found.get(key, GONE)
        if before == now:
            continue
        patterns = matching(differs, key)
        seen.update(patterns)
        if not any(is_as_said(now, differs[p]) for p in patterns):
            wrong.append(f"{key} is {now!r}, not {before!r}")
    wrong += [f"{p} does not differ" for p in differs if p not in seen and not p.startswith("?")]
    return wrong


class Checker:
    """Writes images and looks whether they have what their rows say."""

    def __init__(self, world, directory):
        self.world, self.directory, self.known = world, directory, {}

    def certificates(self, item):
        names = dict.fromkeys([*item.anchors, item.base.get("key", "ours"), "ours", "stranger"])
        return {name: self.world[name].der for name in names}

    def read(self, item, path, image):
        return facts.read(path, image.root, self.certificates(item))

    def ordinary(self, item):
        key = repr((sorted(item.base.items()), item.anchors))
        if key not in self.known:
            path = os.path.join(self.directory, "the ordinary one")
            image = self.world.image(**item.base)
            image.write(path)
            self.known[key] = self.read(item, path, image)
            os.unlink(path)
        return self.known[key]

    def write(self, item, path):
        image = item.image(self.world)
        image.write(path)
        return image

    def defects(self, item, path, image):
        """What is not in the image as the row says, as text."""
        found = self.read(item, path, image)
        if item.has is not None:
            return [f"{key} is {found.get(key, GONE)!r}" for key, value in item.has.items()
                    if not is_as_said(found.get(key, GONE), value)]
        return compare(self.ordinary(item), found, item.differs)
