# SPDX-License-Identifier: Apache-2.0
"""Just enough of C to measure it: comments and strings blanked, functions found."""
import re

CONTROL = {"if", "for", "while", "switch", "else", "do"}


def blank(text):
    """The text with comments, literals and preprocessor lines turned into blanks; newlines stay."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', spaces, text,
                  flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", spaces, text, flags=re.M)


def includes(text):
    """(line, header, own) of each #include; own is the form with quotes."""
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            yield number, match.group(1) or match.group(2), match.group(1) is not None


def split_parameters(inside):
    depth, count = 0, 1
    for char in inside:
        depth += (char in "([") - (char in ")]")
        count += char == "," and depth == 0
    return 0 if inside.strip() in ("", "void") else count


def declarator(head):
    """(name, parameters) of a function's head, or None when it is something else."""
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", head, flags=re.S)
    if "=" in head or re.match(r"\s*(struct|union|enum)\b[^(]*$", head):
        return None
    match = re.search(r"(\w+)\s*\(", head)
    if not match:
        return None
    depth, at = 0, match.end() - 1
    for end in range(at, len(head)):
        depth += (head[end] == "(") - (head[end] == ")")
        if depth == 0:
            return match.group(1), split_parameters(head[at + 1:end])
    return None


class Function:
    def __init__(self, name, parameters, first):
        self.name, self.parameters = name, parameters
        self.first, self.last, self.nesting = first, first, 0

    @property
    def lines(self):
        return self.last - self.first + 1


def is_control(before):
    """Does the '{' after this text open the body of a control statement?"""
    word = re.search(r"(\w+)\s*$", before)
    if word:
        return word.group(1) in ("else", "do")
    if not before.rstrip().endswith(")"):
        return False
    depth, at = 0, len(before.rstrip()) - 1
    while at >= 0:
        depth += (before[at] == ")") - (before[at] == "(")
        if depth == 0:
            break
        at -= 1
    word = re.search(r"(\w+)\s*$", before[:max(at, 0)])
    return bool(word) and (word.group(1) in CONTROL or word.group(1).endswith("foreach"))


def functions(text):
    """Every function definition of a source text."""
    code = blank(text)
    found, stack, function, start = [], [], None, 0
    for at, char in enumerate(code):
        if char == "{":
            if not stack:
                shape = declarator(code[start:at])
                if shape:
                    head = start + len(code[start:at]) - len(code[start:at].lstrip())
                    function = Function(*shape, code.count("\n", 0, head) + 1)
                stack.append("top")
            else:
                stack.append("control" if is_control(code[max(0, at - 2000):at]) else "plain")
                if function:
                    function.nesting = max(function.nesting, stack.count("control"))
        elif char == "}" and stack:
            stack.pop()
            if not stack:
                if function:
                    function.last = code.count("\n", 0, at) + 1
                    found.append(function)
                function, start = None, at + 1
        elif char == ";" and not stack:
            start = at + 1
    return found


def prototypes(text):
    """(line, name, parameters) of each declaration of a function at file level."""
    code, depth, start = blank(text), 0, 0
    for at, char in enumerate(code):
        depth += (char == "{") - (char == "}")
        if char == "}" and depth == 0:
            start = at + 1
        if char == ";" and depth == 0:
            head, line = code[start:at], code.count("\n", 0, at) + 1
            start = at + 1
            if "typedef" not in head and "{" not in head and (shape := declarator(head)):
                yield (line, *shape)
