# SPDX-License-Identifier: Apache-2.0
"""Size check: functions, parameters, nesting, files, own includes (CONTRIBUTING.md)."""
import os

import csource

FUNCTION_LINES, PARAMETERS, NESTING = 60, 4, 3
SOURCE_LINES, HEADER_LINES, OWN_INCLUDES = 500, 150, 8


def read_exceptions(folder):
    """Lines "path:function" of functions whose signature another library dictates."""
    with open(os.path.join(folder, "callbacks.txt"), encoding="utf-8") as lines:
        return {line.split("#")[0].strip() for line in lines} - {""}


def check_file(path, text, callbacks):
    lines = text.count("\n")
    most = SOURCE_LINES if path.endswith(".c") else HEADER_LINES
    if lines > most and not path.endswith(".def"):
        yield f"{path}: {lines} lines, at most {most}"
    own = sum(1 for _, _, own in csource.includes(text) if own)
    if own > OWN_INCLUDES and not path.startswith("tests/"):
        yield f"{path}: {own} own includes, at most {OWN_INCLUDES}"
    for function in csource.functions(text):
        where = f"{path}:{function.first}: {function.name}()"
        if function.lines > FUNCTION_LINES:
            yield f"{where} has {function.lines} lines, at most {FUNCTION_LINES}"
        if function.nesting > NESTING:
            yield f"{where} nests {function.nesting} deep, at most {NESTING}"
        if function.parameters > PARAMETERS and f"{path}:{function.name}" not in callbacks:
            yield f"{where} has {function.parameters} parameters, at most {PARAMETERS}"
    for line, name, parameters in csource.prototypes(text):
        if parameters > PARAMETERS and f"{path}:{name}" not in callbacks:
            yield f"{path}:{line}: {name}() has {parameters} parameters, at most {PARAMETERS}"


def check(root, files):
    callbacks = read_exceptions(os.path.dirname(os.path.abspath(__file__)))
    problems = []
    for path in files:
        if path.endswith((".c", ".h", ".def")):
            with open(os.path.join(root, path), encoding="utf-8") as source:
                problems += check_file(path, source.read(), callbacks)
    return problems
