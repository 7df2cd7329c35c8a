# SPDX-License-Identifier: Apache-2.0
"""Run one module of Python tests and print a JSON line per test: report_tests.py FILE."""
import importlib.util
import json
import os
import signal
import sys
import unittest

TEST_S = 120


class OutOfTime(Exception):
    pass


def ring(_signal, _frame):
    raise OutOfTime(f"no result after {TEST_S} seconds")


class Lines(unittest.TestResult):
    """Prints as it goes; each test gets TEST_S seconds (three times that under asan)."""

    def say(self, test, outcome, text=""):
        print("@@" + json.dumps({"test": str(test), "outcome": outcome, "text": text}), flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.bad = False
        scale = 1 if os.environ.get("GREENGATE_BUILD", "").endswith("release") else 3
        signal.alarm(getattr(test, "seconds", TEST_S) * scale)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)

    def addSuccess(self, test):
        if not self.bad:
            self.say(test, "passed")

    def addSkip(self, test, reason):
        self.say(test, "skipped", reason)

    def addFailure(self, test, err):
        self.fail(test, err)

    def addError(self, test, err):
        self.fail(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fail(subtest, err, test)

    def fail(self, test, err, owner=None):
        # Rows of one test count as one failure, all of their texts are shown.
        if not self.bad:
            self.say(test, "failed", self._exc_info_to_string(err, owner or test))
        else:
            print(self._exc_info_to_string(err, owner or test), flush=True)
        self.bad = True


def main():
    path = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.dirname(path))
    signal.signal(signal.SIGALRM, ring)
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = Lines()
    suite.run(result)
    result.say("", "end")


if __name__ == "__main__":
    main()
