# SPDX-License-Identifier: Apache-2.0
"""What the state says while something is broken."""
import unittest

from fakeupstream import FakeUpstream, address
from harness import Box, wait_for


class Upstream(unittest.TestCase):
    def test_a_worker_that_has_not_asked_since_does_not_vouch(self):
        answering = [True]

        def handler(asked, transport):
            return address(ttl=1)(asked, transport) if answering[0] else []
        with FakeUpstream(handler) as fake, Box({"server": {"workers": 4}}, upstream=[fake.url]) as box:
            reason = "no upstream answers; see upstream.servers"

            def reasons():
                return box.json("status")["reasons"]
            for number in range(200):  # each worker has heard it
                box.ask(f"n{number}.test")
            self.assertNotIn(reason, reasons())
            answering[0] = False
            box.send(b"\0\1\1\0\0\1\0\0\0\0\0\0\4gone\4test\0\0\1\0\1", timeout=6)
            wait_for(lambda: reason in reasons(), "the outage")
            self.assertFalse(box.json("status")["upstreams"][0]["ok"])
            answering[0] = True
            wait_for(lambda: box.ask("back.test", timeout=6).rcode == "NOERROR", "answers")
            wait_for(lambda: reason not in reasons(), "the end of it")


if __name__ == "__main__":
    unittest.main()
