# SPDX-License-Identifier: Apache-2.0
"""What is read of a running server: its processor time, its memory, how soon it answers."""
import os
import re
import sys
import time

import dnswire
import harness

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def start_time(box, name):
    """Seconds from exec to the first blocked answer."""
    before = time.monotonic()
    box.daemon = harness.Program([box.program("greengated"), "-c", box.path],
                                 os.path.join(box.folder, "daemon.log"), **harness.as_user())
    packet = dnswire.query(name)
    while not (reply := harness.exchange(packet, box.address, timeout=0.05)):
        if time.monotonic() - before > 60 or not box.daemon.alive():
            sys.exit(f"greengated did not start: {box.daemon.text()}")
    seconds = time.monotonic() - before
    if not dnswire.Message(reply).ede:
        sys.exit(f"the first answer was not a blocked one: {reply.hex()}; {box.daemon.text()}")
    return seconds
