# SPDX-License-Identifier: Apache-2.0
"""The goals that need another set-up than the main run: a saturated core, a steady rate, other
numbers of names and workers, the program's own size."""
import json
import os
import random
import re
import statistics
import subprocess

from harness import Box, as_user
import measure

GENERATOR_S = 3
RATE = 20000
TOPS = ["com", "net", "org", "info", "xyz", "top"]


def pin(pid, cpus):
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), cpus)


def generate(build, port, path, *more):
    """What the generator counted; it has the last processor to itself."""
    last = max(os.sched_getaffinity(0))
    done = subprocess.run([os.path.join(build, "bench", "generator"), str(port), path,
                           str(GENERATOR_S), *more], capture_output=True, text=True, check=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {last}))
    return json.loads(done.stdout)


def saturate(build, bench, servers, rounds):
    """{server: {kind: [us of CPU per answered query]}} with the server on one processor that has
    nothing else to do than to answer."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        print("       one processor: no saturated core")
        return None
    results = {name: {"blocked": [], "cached": []} for name in servers}
    for _ in range(rounds):
        for kind in ("blocked", "cached"):
            path = bench.queries(kind)
            for name, (pid, port) in servers.items():
                pin(pid, {cpus[0]})
                before = measure.cpu_seconds(pid)
                counted = generate(build, port, path)
                used = (measure.cpu_seconds(pid) - before) / max(counted["answered"], 1) * 1e6
                pin(pid, set(cpus))
                results[name][kind].append(used)
                print(f"       {name:<12} {kind:<8} {used:6.2f} us/query on a saturated core,"
                      f" {counted['answered'] / counted['seconds']:9.0f} q/s", flush=True)
    return results


def latencies(build, bench, servers, rounds):
    """{server: [microseconds below which 99 of 100 answers came]} at RATE queries a second, half of
    them blocked and half cached."""
    path = os.path.join(bench.folder, "steady.txt")
    dice = random.Random(3)
    with open(path, "w", encoding="utf-8") as out:
        for at in range(50_000):
            name = bench.sample[at % len(bench.sample)] if at % 2 else dice.choice(bench.allowed)
            out.write(f"{name} A\n")
    results = {name: [] for name in servers}
    for _ in range(rounds):
        for name, (_, port) in servers.items():
            counted = generate(build, port, path, str(RATE))
            results[name].append(counted["p99_us"])
            print(f"       {name:<12} at {RATE} q/s: p50 {counted['p50_us']} us, p99 "
                  f"{counted['p99_us']} us, {counted['sent'] - counted['answered']} lost", flush=True)
    return results


def many_names(path, count):
    """Distinct names of about 18 octets, quickly; a sample of them."""
    sample = []
    with open(path, "w", encoding="ascii") as out:
        for number in range(count):
            mixed = (number + 1) * 0x9E3779B97F4A7C15 % 2**64
            name = f"{number:x}{mixed >> 32:x}.{TOPS[mixed % 6]}"
            out.write(name + "\n")
            if number % (count // 50_000 or 1) == 0:
                sample.append(name)
    random.Random(4).shuffle(sample)
    return sample


def sized_box(bench, count, workers=1):
    """A box with so many names, compiled but not started, and some of the names."""
    box = Box({"server": {"workers": workers}, "lists": {"sources": []}}, start=False)
    path = os.path.join(box.folder, "names.txt")
    sample = many_names(path, count)
    box.config["lists"]["sources"] = [{"id": "synthetic", "url": f"file://{path}", "category": "adult",
                                       "format": "domains"}]
    box.config["groups"] = [{"name": "everyone", "clients": [], "block": ["adult"]}]
    box.write_config()
    os.chmod(path, 0o644)
    done = subprocess.run([box.program("greengate"), "-c", box.path, "update"], capture_output=True,
                          text=True, check=False, **as_user())
    if done.returncode != 0:
        raise SystemExit(f"update of {count} names failed: {done.stderr}")
    os.remove(path)
    queries = os.path.join(box.folder, "queries.txt")
    with open(queries, "w", encoding="ascii") as out:
        out.writelines(f"{name} A\n" for name in sample)
    return box, sample, queries


class Sized:
    """A running box and what asks it."""

    def __init__(self, bench, count, workers=1):
        self.bench = bench
        self.box, self.sample, self.queries = sized_box(bench, count, workers)
        self.start_s = measure.start_time(self.box, self.sample[0])
        self.box.wait_ready()
        self.us = []

    @property
    def pid(self):
        return self.box.daemon.process.pid

    @property
    def port(self):
        return self.box.port

    def measure(self, seconds):
        before = measure.cpu_seconds(self.pid)
        answered = self.bench.dnsperf(self.port, self.queries, "-l", str(seconds))[0]
        self.us.append((measure.cpu_seconds(self.pid) - before) / max(answered, 1) * 1e6)

    def close(self):
        self.box.__exit__()


def ratio_of(first, second, rounds, seconds):
    """The median of the first's CPU per query over the second's; they take turns."""
    for _ in range(rounds):
        for sized in (first, second):
            sized.measure(seconds)
    return statistics.median(a / b for a, b in zip(first.us, second.us))


def compare_sizes(bench, figures, rounds, seconds):
    large, small = Sized(bench, 10_000_000), Sized(bench, 100_000)
    try:
        figures["sizes"] = ratio_of(large, small, rounds, seconds)
    finally:
        large.close()
        small.close()
    five = Sized(bench, 5_000_000)
    try:
        five.measure(seconds)
        figures["start_5m"], figures["resident_5m"] = five.start_s, measure.resident_mb(five.pid)
    finally:
        five.close()


class Responding:
    """The responder in the place of a box."""

    def __init__(self, bench, server, queries):
        self.bench, (self.pid, self.port), self.queries = bench, server, queries
        self.us = []

    measure = Sized.measure


def compare_workers(bench, responder, figures, rounds, seconds):
    """Two workers against one, and two threads of the responder against one: what is the kernel's."""
    two, one = Sized(bench, 1_000_000, workers=2), Sized(bench, 1_000_000)
    try:
        with responder(threads=2) as pair, responder(threads=1) as single:
            bare = [Responding(bench, server, one.queries) for server in (pair, single)]
            figures["workers_bare"] = ratio_of(*bare, rounds, seconds)
        figures["workers"] = ratio_of(two, one, rounds, seconds)
    finally:
        two.close()
        one.close()


def program_sizes(build, folder):
    """MB of greengated without symbols, and of the libraries that it links, but for OpenSSL and the C
    library, which a machine has anyway."""
    stripped = os.path.join(folder, "greengated.stripped")
    subprocess.run(["strip", "-o", stripped, os.path.join(build, "greengated")], check=True)
    own = os.path.getsize(stripped) / 1e6
    os.remove(stripped)
    linked = subprocess.run(["ldd", os.path.join(build, "greengated")], capture_output=True, text=True,
                            check=True).stdout
    libraries = [path for path in re.findall(r"=> (\S+) ", linked)
                 if not re.search(r"/(libc|libm|libpthread|libcrypto|libssl|ld-linux)[.-]", path)]
    return own, own + sum(os.path.getsize(os.path.realpath(path)) for path in libraries) / 1e6
