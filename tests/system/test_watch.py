# SPDX-License-Identifier: Apache-2.0
"""`greengate watch`: one client, some minutes, in memory alone."""
import json
import os
import signal
import subprocess
import unittest

from fakeupstream import FakeUpstream, address
from harness import Box, as_user, wait_for


class Watch(unittest.TestCase):
    def setUp(self):
        upstream = self.enterContext(FakeUpstream(address("198.51.100.1")))
        self.box = self.enterContext(Box(upstream=[upstream.url], lists=[("bad", "adult", ["secretbad.test"])],
                                         web=True))

    def watch(self, *arguments):
        return subprocess.Popen([self.box.program("greengate"), "-c", self.box.path, *arguments], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **as_user())

    def begun(self):
        wait_for(lambda: self.box.json("check", "a.test", "--client", "127.0.0.3")["watched"], "watching")

    def test_that_client_alone_and_nothing_is_stored(self):
        run = self.watch("--json", "watch", "--client", "127.0.0.3", "--for", "4s", "--note", "Ms Kim asked")
        self.begun()
        self.assertFalse(self.box.json("check", "a.test", "--client", "127.0.0.4")["watched"])
        for source in ("127.0.0.3", "127.0.0.4"):
            self.box.ask("secretbad.test", source=source)
            self.box.ask(f"secretfree-{source[-1]}.test", "AAAA", source=source)
        out, _ = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 0)
        entries = [(e["name"], e["type"], e["blocked"], e["reason"], e["category"]) for e in json.loads(out)["entries"]]
        self.assertEqual(entries, [("secretbad.test", "A", True, "list", "adult"),
                                   ("secretfree-3.test", "AAAA", False, "not-listed", "")])
        self.assertFalse(self.box.json("check", "a.test", "--client", "127.0.0.3")["watched"])
        with open(os.path.join(self.box.state, "audit.log"), encoding="utf-8") as log:
            line = json.loads(log.readlines()[-1])
        self.assertEqual((line["command"], line["details"]["note"], line["details"]["for_s"]), ("watch", "Ms Kim asked", 4))
        self.assert_not_stored(b"127.0.0.3", b"secretfree")

    def assert_not_stored(self, *secrets):
        self.box.daemon.stop()
        for folder, _, files in os.walk(self.box.state):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                for secret in secrets:
                    self.assertNotIn(secret, data, name)

    def test_an_interrupt_ends_it(self):
        run = self.watch("watch", "--client", "127.0.0.3", "--for", "10m")
        self.begun()
        self.box.ask("secretbad.test", source="127.0.0.3")
        lines = iter(run.stdout.readline, "")
        out = next(line for line in lines if "secretbad" in line)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=10)
        self.assertRegex(out, r"blocked  A     NOERROR   secretbad.test  \(list: adult\)")
        self.assertFalse(self.box.json("check", "a.test", "--client", "127.0.0.3")["watched"])

    def test_the_page_says_so(self):
        run = self.watch("watch", "--client", "127.0.0.1", "--for", "10m")
        wait_for(lambda: self.box.json("check", "a.test", "--client", "127.0.0.1")["watched"], "watching")
        self.assertIn("looking for a fault of this device", self.box.page("secretbad.test", headers=["Accept-Language: en"])[2])
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=10)
        self.assertIn("not a punishment", self.box.page("secretbad.test", headers=["Accept-Language: en"])[2])

    def test_mistakes_and_who_may(self):
        for arguments in ((), ("--client", "somebody"), ("--client", "127.0.0.3", "--for", "2h"),
                          ("--client", "127.0.0.3", "--for", "x"), ("127.0.0.3",)):
            self.assertEqual(self.box.cli("watch", *arguments).returncode, 2, arguments)
        for command in ("watch", "watch-read"):
            reply = self.web({"command": command, "client": "127.0.0.3"} if command == "watch" else {"command": command})
            self.assertIn("not allowed", reply["error"])

    def web(self, request):
        import socket
        import struct
        data = json.dumps(request).encode()
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(os.path.join(os.path.dirname(self.box.socket), "web.sock"))
            one.sendall(struct.pack("!I", len(data)) + data)
            size = struct.unpack("!I", one.recv(4))[0]
            return json.loads(one.recv(size))


if __name__ == "__main__":
    unittest.main()
