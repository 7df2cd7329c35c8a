# SPDX-License-Identifier: Apache-2.0
"""Layer check: every include is one that layers.txt allows, and nothing goes in circles."""
import os

import csource


class Table:
    def __init__(self, path):
        self.allowed, self.libraries, self.headers = {}, {}, []
        for line in open(path, encoding="utf-8"):
            line = line.split("#")[0].strip()
            if line.startswith("@"):
                name, headers = line[1:].split(":")
                self.headers += [(header, name.strip()) for header in headers.split()]
            elif line:
                folder, rest = line.split(":", 1)
                own, libraries = rest.split("|")
                self.allowed[folder] = set(own.split()) - {"-"}
                self.libraries[folder] = set(libraries.split()) - {"-"}
        # The longest match wins: linux/netlink.h before linux/.
        self.headers.sort(key=lambda item: -len(item[0]))

    def library_of(self, header):
        for pattern, name in self.headers:
            if header == pattern or (pattern.endswith("/") and header.startswith(pattern)):
                return name
        return None


def locate(root, header):
    """The path of an own header below the root, or None."""
    for base in ("resolver/", ""):
        if os.path.exists(os.path.join(root, base + header)):
            return base + header
    return None


def short(folder):
    return folder.removeprefix("resolver/")


def check_include(table, folder, path, header):
    """What is wrong with one own include, or None."""
    target = os.path.dirname(path)
    if target == folder:
        return None
    if folder not in table.allowed:
        return f"the folder {folder} is not in layers.txt"
    if short(target) in table.allowed[folder] or header in table.allowed[folder]:
        return None
    return f"{folder} may not include {header}"


def find_circle(graph):
    """A circle in a graph {node: set of nodes} as a list, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for other in sorted(graph.get(node, ())):
            circle = visit(other)
            if circle:
                return circle
        path.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        circle = visit(node)
        if circle:
            return circle
    return None


def check(root, files):
    table = Table(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.txt"))
    problems, by_file, by_folder = [], {}, {}
    for path in files:
        if not path.startswith(("resolver/", "blocklists/", "tools/")):
            continue
        folder = os.path.dirname(path)
        with open(os.path.join(root, path), encoding="utf-8") as source:
            found = list(csource.includes(source.read()))
        for line, header, own in found:
            if own:
                target = locate(root, header)
                if not target:
                    problems.append(f"{path}:{line}: no such header: {header}")
                    continue
                wrong = check_include(table, folder, target, header)
                by_file.setdefault(path, set()).add(target)
                if os.path.dirname(target) != folder:
                    by_folder.setdefault(folder, set()).add(os.path.dirname(target))
            else:
                library = table.library_of(header)
                wrong = None
                if library is None:
                    wrong = f"unknown library header <{header}>: add it to layers.txt"
                elif library != "libc" and library not in table.libraries.get(folder, ()):
                    wrong = f"{folder} may not use {library} (<{header}>)"
            if wrong:
                problems.append(f"{path}:{line}: {wrong}")
    # A table is included by the header that gives its rows a meaning, more than once.
    by_file = {k: {f for f in v if not f.endswith(".def")} for k, v in by_file.items()}
    for kind, graph in (("files", by_file), ("folders", by_folder)):
        circle = find_circle(graph)
        # One header on its own is no dependency on a folder: see layers.txt.
        if circle and not (kind == "folders" and single_headers(table, circle)):
            problems.append(f"{kind} include each other in a circle: {' -> '.join(circle)}")
    return problems


def single_headers(table, circle):
    """True when a step of the circle is allowed by a single header only."""
    return any(short(b) not in table.allowed.get(a, ()) for a, b in zip(circle, circle[1:]))
