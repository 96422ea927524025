# SPDX-License-Identifier: Apache-2.0
"""
Small wrong changes to a C source, one at a time.

mutants(text) yields Mutant(line, column, old, new): each comparison moved or turned round, each "and" an "or"
and the reverse, each "not" left out, each condition of an "if" never true, each sum a difference, each
number but 0 one more, each truth a falsehood. Comments, texts and the preprocessor's lines are left alone, but
for the numbers that a #define gives a name to; of a line of a table, only the first number is changed.
"""

import collections
import re

Mutant = collections.namedtuple("Mutant", "line column old new")

OPERATORS = {
    "<=": "<", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "<": "<=", ">": ">=", "+": "-", "-": "+",
    "%": "/", "|=": "&=", "<<": ">>",
}
COMPARISONS = ("<=", ">=", "==", "!=", "<", ">")
BINARY = re.compile(r"(?<= )(<=|>=|==|!=|&&|\|\||\|=|<<|[<>+%-])(?=\s)")
NOT = re.compile(r"!(?=[A-Za-z_(*&])")
NUMBER = re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)(?=[uUlL]*(?![\w.]))")
TRUTH = re.compile(r"\b(true|false)\b")
IF = re.compile(r"\bif \(")
HIDDEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
NAMED_NUMBER = re.compile(r"#define\s+\w+\s+\(?(?=[0-9])")
ASSERT = re.compile(r"_Static_assert\(.*?\);", re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def visible(text):
    """The same, of the same length, with blanks for all that is no code."""
    text = ASSERT.sub(blank, HIDDEN.sub(blank, text))
    lines, continued = [], False
    for line in text.split("\n"):
        directive = continued or line.lstrip().startswith("#")
        continued = directive and line.endswith("\\")
        named = NAMED_NUMBER.match(line)
        if named:
            line = " " * named.end() + line[named.end():]
        elif directive:
            line = " " * len(line)
        lines.append(line)
    return "\n".join(lines)


def end_of_condition(code, start):
    depth = 0
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at + 1
    return start


def is_in_table(code, offset):
    line = code[code.rfind("\n", 0, offset) + 1:offset]
    return len(NUMBER.findall(line)) >= 2 and line.rstrip().endswith(",") and "(" not in line


def changes(code):
    """(offset, old, new)"""
    for match in BINARY.finditer(code):
        yield match.start(), match.group(), OPERATORS[match.group()]
    for match in NOT.finditer(code):
        yield match.start(), "!", ""
    for match in NUMBER.finditer(code):
        if int(match.group(), 0) == 0 or is_in_table(code, match.start()):
            continue
        yield match.start(), match.group(), str(int(match.group(), 0) + 1)
    for match in TRUTH.finditer(code):
        yield match.start(), match.group(), {"true": "false", "false": "true"}[match.group()]
    for match in IF.finditer(code):
        start = match.end() - 1
        condition = code[start:end_of_condition(code, start)]
        yield start, condition, f"(0 && {condition})"


def place(text, offset):
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1)


def mutants(text):
    for offset, old, new in sorted(changes(visible(text))):
        # What was blanked inside a condition is still there in the text.
        yield Mutant(*place(text, offset), text[offset:offset + len(old)], new.replace(old, text[offset:offset + len(old)]))


def apply(text, mutant):
    lines = text.split("\n")
    offset = sum(len(line) + 1 for line in lines[:mutant.line - 1]) + mutant.column
    assert text.startswith(mutant.old, offset), mutant
    return text[:offset] + mutant.new + text[offset + len(mutant.old):]
