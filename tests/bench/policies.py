# SPDX-License-Identifier: Apache-2.0
"""What the whole policy costs: a box with one group that blocks one category, and one in which
everything is switched on."""
import os
import statistics

from harness import Box, Nsd
from further import many_names
import measure
import mmdb

NAMES = 100_000
SERVICES = ["tiktok", "youtube", "roblox", "discord", "instagram", "snapchat", "twitch", "fortnite", "netflix", "telegram"]


def groups():
    """Fifty groups before the one that catches the rest, named in every way."""
    made = []
    for number in range(50):
        made.append({"name": f"g{number}", "block": ["adult"],
                     "clients": [f"10.{number}.{net}.0/24" for net in range(20)]
                     + [f"02:00:00:00:{number:02x}:{device:02x}" for device in range(20)]
                     + [f"host:tablet-{number}-{device}" for device in range(5)] + [f"id:phone-{number}"]})
    made.append({"name": "pupils", "clients": [], "services": SERVICES, "safe_search": True, "youtube": "strict",
                 "block": ["adult", "gambling", "malware", "phishing", "deepfake", "bypass", "ads", "tracking"],
                 "unsafe_search": "block", "prefer": ["education"], "block_countries": ["KP", "RU"],
                 "block_networks": ["AS64500"], "modes": [{"category": "ads", "mode": "zero"}],
                 "schedule": [{"block": ["games", "social"], "days": "mon-fri", "from": "08:30", "to": "16:30"},
                              {"block": ["all"], "except": ["education"], "from": "03:00", "to": "03:01"}]})
    return made


PLAIN = {"dns": {"rebinding_protection": False},
         "groups": [{"name": "everyone", "clients": [], "block": ["adult"], "look_alikes": False,
                     "strip_ech": False, "prefer": []}]}


class Side:
    def __init__(self, bench, nsd, full):
        self.bench, self.us = bench, {"blocked": [], "cached": []}
        self.box = Box({"server": {"workers": 1}}, upstream=[nsd.url], start=False)
        path = os.path.join(self.box.folder, "names.txt")
        sample = many_names(path, NAMES)
        os.chmod(path, 0o644)
        sources = [{"id": "synthetic", "url": f"file://{path}", "category": "adult", "format": "domains"}]
        if full:
            sources.append(self.box.source("addresses", "malware", [f"203.0.{n // 250}.{n % 250}" for n in range(5000)],
                                           {"format": "addresses"}))
        self.box.config["lists"] = {"sources": sources}
        if full:
            self.box.write("places.mmdb", mmdb.make([("203.0.113.0/24", "KP", 64500), ("192.0.2.0/24", "KR", 4766),
                                                     ("2001:db8::/32", "KR", 0)]))
            self.box.config["geo"] = {"database": os.path.join(self.box.folder, "places.mmdb")}
            self.box.config["groups"] = groups()
            self.write_rules()
        else:
            for section, values in PLAIN.items():
                self.box.config[section] = {**self.box.config.get(section, {}), **values} \
                    if isinstance(values, dict) else values
        self.box.write_config()
        done = self.box.cli("update")
        if done.returncode != 0:
            raise SystemExit(f"update failed: {done.stderr}")
        self.box.start()
        self.paths = {}
        for kind, names in (("blocked", sample), ("cached", bench.allowed)):
            self.paths[kind] = os.path.join(self.box.folder, f"{kind}.txt")
            with open(self.paths[kind], "w", encoding="ascii") as out:
                out.writelines(f"{name} A\n" for name in names)

    def write_rules(self):
        rules = [f'  - {{name: "r{n}.rule.example", action: {"allow" if n % 2 else "block"}, '
                 f'group: "{"pupils" if n % 3 else ""}"}}\n' for n in range(200)]
        rules += [f"  - {{pattern: '^ads{n}[0-9]+\\.', action: block}}\n" for n in range(20)]
        self.box.write("state/rules.yaml", "rules:\n" + "".join(rules))

    def measure(self, kind, seconds):
        pid = self.box.daemon.process.pid
        self.bench.dnsperf(self.box.port, self.paths[kind], "-n", "1")
        before = measure.cpu_seconds(pid)
        answered = self.bench.dnsperf(self.box.port, self.paths[kind], "-l", str(seconds))[0]
        self.us[kind].append((measure.cpu_seconds(pid) - before) / max(answered, 1) * 1e6)

    def close(self):
        self.box.__exit__()


def compare(bench, rounds, seconds):
    """{kind: the median of CPU per query with everything on over that with nothing}."""
    with Nsd() as nsd:
        plain, full = Side(bench, nsd, False), Side(bench, nsd, True)
        try:
            for _ in range(rounds):
                for kind in ("blocked", "cached"):
                    for side in (plain, full):
                        side.measure(kind, seconds)
            for kind in ("blocked", "cached"):
                print(f"       {kind}: {statistics.median(plain.us[kind]):.2f} us/query plain, "
                      f"{statistics.median(full.us[kind]):.2f} with the whole policy", flush=True)
            return {kind: statistics.median(a / b for a, b in zip(full.us[kind], plain.us[kind]))
                    for kind in ("blocked", "cached")}
        finally:
            plain.close()
            full.close()
