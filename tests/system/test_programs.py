# SPDX-License-Identifier: Apache-2.0
"""What the programs are made of, and what a query costs them."""
import mmap
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

from harness import BUILD, Program, ServedTest, as_user

RELEASE = os.path.basename(BUILD) == "release"


def symbols(program):
    done = subprocess.run(["nm", os.path.join(BUILD, program)], check=True, capture_output=True,
                          text=True)
    return {line.split()[-1].split("@")[0] for line in done.stdout.split("\n") if line}


def defined_in(*patterns):
    """Functions that these sources define, by the names of their object files' symbols."""
    found = set()
    for pattern in patterns:
        folder, name = os.path.split(os.path.join(BUILD, pattern))
        for file in os.listdir(folder):
            if re.fullmatch(name, file):
                done = subprocess.run(["nm", "--defined-only", os.path.join(folder, file)],
                                      check=True, capture_output=True, text=True)
                found |= {line.split()[-1] for line in done.stdout.split("\n") if " T " in line}
    return found - {"main"}


class Parts(unittest.TestCase):
    def assert_without(self, program, *patterns):
        foreign = defined_in(*patterns)
        self.assertTrue(foreign, patterns)
        self.assertEqual(symbols(program) & foreign, set())

    LIST_PARSERS = r"blocklists/(hosts|domains|adblock|dnsmasq|unbound|bind|dnscrypt|sniff|scan|unpack|compile|fetch|update)\.o"

    def test_daemon_holds_no_list_parser_and_no_http_parser(self):
        self.assert_without("greengated", self.LIST_PARSERS)
        self.assert_without("greengated", r"resolver/web/\w+\.o")
        self.assertFalse({s for s in symbols("greengated") if s.startswith(("llhttp_", "curl_"))})

    def test_web_holds_no_list_parser(self):
        self.assert_without("greengate-web", self.LIST_PARSERS)

    def test_daemon_executes_nothing(self):
        self.assertFalse(symbols("greengated") & {"execve", "execvp", "execl", "execv", "system",
                                                  "popen", "posix_spawn", "fork", "uv_spawn"})

    @unittest.skipUnless(RELEASE, "sizes are those of the release")
    def test_daemon_is_small(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "stripped")
            subprocess.run(["strip", "-o", path, os.path.join(BUILD, "greengated")], check=True)
            self.assertLessEqual(os.path.getsize(path), 500_000)


@unittest.skipUnless(RELEASE, "the sanitizers bring an allocator of their own")
class Costs(ServedTest):
    QUERIES = 10000

    def test_blocked_and_cached_queries_allocate_nothing_and_log_nothing(self):
        box = self.box(lists=[("adult-list", "adult", [f"||bad{n}.example^" for n in range(50)])],
                       start=False)
        counter = box.write("allocations", b"\0" * 8)
        library = os.path.join(box.folder, "allocations.so")
        shutil.copy(os.path.join(BUILD, "tests", "allocations.so"), library)
        os.chmod(library, 0o755)
        os.chmod(counter, 0o666)
        box.daemon = Program([box.program("greengated"), "-c", box.path],
                             os.path.join(box.folder, "daemon.log"), **as_user(),
                             env=dict(os.environ, LD_PRELOAD=library, GREENGATE_ALLOCATIONS=counter))
        box.wait_ready()
        for number in range(50):
            box.ask(f"free{number}.test")
        with open(counter, "r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
            def count():
                return struct.unpack_from("<Q", shared)[0]
            self.assertGreater(count(), 100, "the counter counts")
            for name, what in (("bad{}.example", "blocked"), ("free{}.test", "cached")):
                log, before = box.daemon.text(), count()
                for number in range(self.QUERIES):
                    box.ask(name.format(number % 50))
                # The minute's flush may fall into it: far less than one per query.
                self.assertLess(count() - before, self.QUERIES // 8, what)
                self.assertEqual(box.daemon.text(), log)


if __name__ == "__main__":
    unittest.main()
