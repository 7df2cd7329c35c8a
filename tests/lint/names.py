# SPDX-License-Identifier: Apache-2.0
"""Names and texts: file names are nouns, licences are stated, nothing is left half done."""
import os
import re

FORBIDDEN = {"util", "utils", "common", "misc", "helper", "helpers", "manager", "stuff", "funcs"}
LICENSED = (".c", ".h", ".def", ".py", ".sh")
# Spelled in pieces, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|home/\w+|tmp/wt)/")
TEXTS = LICENSED + (".md", ".txt", ".yaml", ".yml", ".service", ".timer", ".conf")


def is_script(data):
    return data.startswith(b"#!")


def check_text(path, data):
    text = data.decode("utf-8", "replace")
    head = text.split("\n")[:3]
    if path.endswith(LICENSED) or is_script(data) or os.path.basename(path) == "Makefile":
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head):
            yield f"{path}:1: no SPDX-License-Identifier line"
    if not path.endswith(TEXTS) and not is_script(data):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: left unfinished: {line.strip()[:60]}"
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: names a folder of one machine"


def check(root, files):
    problems = []
    for path in files:
        stem = os.path.splitext(os.path.basename(path))[0].lower()
        if FORBIDDEN & set(re.split(r"[_\-.]", stem)) and not path.startswith("tests/fixtures/"):
            problems.append(f"{path}: a file is named after what it is about")
        with open(os.path.join(root, path), "rb") as source:
            data = source.read(400_000)
        if b"\0" not in data[:8000]:
            problems += check_text(path, data)
    return problems
