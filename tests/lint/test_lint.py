# SPDX-License-Identifier: Apache-2.0
"""The lint checks fail on planted mistakes, and keep quiet about good code."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


class Lint(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.TemporaryDirectory()
        self.addCleanup(self.root.cleanup)
        self.plant("resolver/base/addr.h", LICENCE + "#pragma once\n")
        self.plant("resolver/cache/cache.h", LICENCE + "#pragma once\n#include <stdint.h>\n")
        self.plant("resolver/cache/cache.c", LICENCE + '#include "cache/cache.h"\n\n'
                   '#include <string.h>\n\n#include "base/addr.h"\n')

    def plant(self, path, text):
        path = os.path.join(self.root.name, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def lint(self, check):
        done = subprocess.run([sys.executable, os.path.join(HERE, "run"), "build/release", "--root",
                               self.root.name, "--only", check], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout

    def assert_found(self, check, text):
        status, out = self.lint(check)
        self.assertEqual(status, 1, out)
        self.assertIn(text, out)

    def test_good_tree_passes(self):
        for check in ("layers", "sizes", "names", "format"):
            with self.subTest(check):
                self.assertEqual(self.lint(check)[0], 0, self.lint(check)[1])

    def test_layer_violation_is_found(self):
        self.plant("resolver/policy/decide.h", LICENCE)
        self.plant("resolver/cache/cache.c", LICENCE + '#include "policy/decide.h"\n')
        self.assert_found("layers", "resolver/cache may not include policy/decide.h")

    def test_foreign_library_is_found(self):
        self.plant("resolver/cache/cache.c", LICENCE + "#include <sqlite3.h>\n")
        self.assert_found("layers", "resolver/cache may not use sqlite3")

    def test_unknown_library_is_found(self):
        self.plant("resolver/cache/cache.c", LICENCE + "#include <gtk/gtk.h>\n")
        self.assert_found("layers", "unknown library header <gtk/gtk.h>")

    def test_header_circle_is_found(self):
        self.plant("resolver/base/addr.h", LICENCE + '#include "base/hash.h"\n')
        self.plant("resolver/base/hash.h", LICENCE + '#include "base/addr.h"\n')
        self.assert_found("layers", "in a circle")

    def test_folder_circle_is_found(self):
        self.plant("resolver/query/query.h", LICENCE + '#include "listen/udp.h"\n')
        self.plant("resolver/listen/udp.h", LICENCE + '#include "query/query.h"\n')
        self.assert_found("layers", "in a circle")

    def test_long_function_is_found(self):
        body = "    x();\n" * 60
        self.plant("resolver/base/addr.c", LICENCE + f"static void long_one(void)\n{{\n{body}}}\n")
        self.assert_found("sizes", "long_one() has 63 lines, at most 60")

    def test_sixty_lines_are_allowed(self):
        body = "    x();\n" * 57
        self.plant("resolver/base/addr.c", LICENCE + f"static void good(void)\n{{\n{body}}}\n")
        self.assertEqual(self.lint("sizes")[0], 0)

    def test_five_parameters_are_found(self):
        self.plant("resolver/base/addr.h",
                   LICENCE + "int many(int a, int b, int c, void (*d)(int, int), int e);\n")
        self.assert_found("sizes", "many() has 5 parameters, at most 4")

    def test_deep_nesting_is_found(self):
        self.plant("resolver/base/addr.c", LICENCE + "static void deep(void)\n{\n"
                   "for (;;) { while (1) { if (a) { do { x(); } while (1); } else { } } }\n}\n")
        self.assert_found("sizes", "deep() nests 4 deep, at most 3")

    def test_long_file_and_header_are_found(self):
        self.plant("resolver/base/addr.c", LICENCE + "\n" * 500)
        self.plant("resolver/base/addr.h", LICENCE + "\n" * 150)
        self.assert_found("sizes", "addr.c: 501 lines, at most 500")
        self.assert_found("sizes", "addr.h: 151 lines, at most 150")

    def test_nine_own_includes_are_found(self):
        text = "".join(f'#include "base/h{n}.h"\n' for n in range(9))
        self.plant("resolver/base/addr.c", LICENCE + text)
        self.assert_found("sizes", "9 own includes, at most 8")

    def test_forbidden_file_name_is_found(self):
        self.plant("resolver/base/dns_utils.c", LICENCE)
        self.assert_found("names", "dns_utils.c: a file is named after what it is about")

    def test_missing_licence_is_found(self):
        self.plant("resolver/base/addr.c", "int x;\n")
        self.assert_found("names", "addr.c:1: no SPDX-License-Identifier line")

    def test_unfinished_work_is_found(self):
        self.plant("resolver/base/addr.c", LICENCE + "// TO" "DO later\n")
        self.assert_found("names", "addr.c:2: left unfinished")

    def test_unformatted_code_is_found(self):
        self.plant(".clang-format", "BasedOnStyle: LLVM\n")
        self.plant("resolver/base/addr.c", LICENCE + "int   x ;\n")
        self.assert_found("format", "addr.c:2")

    def test_shell_mistake_is_found(self):
        self.plant("packaging/start", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nrm $1\n")
        self.assert_found("shell", "SC2086")


if __name__ == "__main__":
    unittest.main()
