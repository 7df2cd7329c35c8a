# SPDX-License-Identifier: Apache-2.0
"""`greengate import`: what other filters export becomes a configuration that the checker takes and a
daemon follows; what cannot be taken over is said, and damaged or hostile files end in an error."""
import io
import json
import os
import re
import sqlite3
import struct
import subprocess
import tarfile
import unittest
import zipfile
import zlib

from harness import BUILD, ROOT, Box, Nsd, ServedTest

SCHEMA = """
CREATE TABLE "group" (id INTEGER PRIMARY KEY AUTOINCREMENT, enabled BOOLEAN NOT NULL DEFAULT 1,
  name TEXT UNIQUE NOT NULL, date_added INTEGER, date_modified INTEGER, description TEXT);
CREATE TABLE domainlist (id INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER NOT NULL DEFAULT 0,
  domain TEXT NOT NULL, enabled BOOLEAN NOT NULL DEFAULT 1, date_added INTEGER,
  date_modified INTEGER, comment TEXT, UNIQUE(domain, type));
CREATE TABLE adlist (id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL,
  enabled BOOLEAN NOT NULL DEFAULT 1, date_added INTEGER, date_modified INTEGER, comment TEXT,
  date_updated INTEGER, number INTEGER NOT NULL DEFAULT 0, type INTEGER NOT NULL DEFAULT 0);
CREATE TABLE adlist_by_group (adlist_id INTEGER NOT NULL, group_id INTEGER NOT NULL);
CREATE TABLE gravity (domain TEXT NOT NULL, adlist_id INTEGER NOT NULL);
CREATE TABLE info (property TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE domainlist_by_group (domainlist_id INTEGER NOT NULL, group_id INTEGER NOT NULL);
CREATE TABLE client (id INTEGER PRIMARY KEY AUTOINCREMENT, ip TEXT NOT NULL UNIQUE,
  date_added INTEGER, date_modified INTEGER, comment TEXT);
CREATE TABLE client_by_group (client_id INTEGER NOT NULL, group_id INTEGER NOT NULL);
CREATE VIEW vw_gravity AS SELECT domain, adlist.id AS adlist_id FROM gravity
  LEFT JOIN adlist ON adlist.id = gravity.adlist_id;
INSERT INTO info VALUES ('version', '19');
"""
TABLES = {
    "group": [(0, 1, "Default"), (1, 1, "Kids"), (2, 1, "Free for all"), (3, 0, "Off")],
    "adlist": [
        (1, "https://raw.githubusercontent.com/StevenBlack/hosts/master/hosts", 1, "ads", 0),
        (2, "https://lists.example/gambling.txt", 1, None, 0),
        (3, "http://plain.example/malware.txt", 0, None, 0),
        (4, "https://lists.example/allowed.txt", 1, None, 1),
        (5, "ftp://old.example/x", 1, None, 0),
    ],
    "adlist_by_group": [(1, 0), (1, 1), (2, 1), (3, 0), (4, 0), (5, 0)],
    "domainlist": [
        (1, 0, "good.example", 1, "it department"), (2, 1, "bad.example", 1, None),
        (3, 3, r"(\.|^)games\.example$", 1, "wild card"), (4, 3, r"^ads?[0-9]+\.", 1, None),
        (5, 2, r"^cdn[0-9]\.", 1, None), (6, 1, "off.example", 0, None),
        (7, 3, "bad.*;querytype=A", 1, None), (8, 3, "(unclosed", 1, None),
        (9, 1, "nobody.example", 1, None), (10, 3, r"(\.|^)com$", 1, None),
    ],
    "domainlist_by_group": [(1, 0), (1, 1), (2, 0), (2, 1), (3, 1), (4, 0), (5, 0), (6, 0), (7, 0),
                            (8, 0), (9, 3), (10, 0)],
    "client": [(1, "127.0.0.2", None), (2, "02:00:00:00:00:01", "tablet"), (3, "10.9.0.0/16", None),
               (4, ":eth0", None), (5, "laptop.lan", None)],
    "client_by_group": [(1, 1), (2, 1), (3, 2), (4, 1), (5, 0)],
}
COLUMNS = {"group": "id, enabled, name", "adlist": "id, address, enabled, comment, type",
           "domainlist": "id, type, domain, enabled, comment", "client": "id, ip, comment",
           "adlist_by_group": "adlist_id, group_id", "client_by_group": "client_id, group_id",
           "domainlist_by_group": "domainlist_id, group_id"}
TOML = """# Pi-hole configuration file (v6.0)
[dns]
  # Upstream DNS Servers
  upstreams = [
    "192.0.2.53",
    "192.0.2.54#5335"
  ] ### CHANGED, default = []
  hosts = [ "192.168.1.5 nas.lan nas", "192.168.1.6 printer.lan" ]
  cnameRecords = [ "alias.lan,nas.lan" ]
  revServers = [ "true,192.168.1.0/24,192.168.1.1,fritz.box", "false,10.0.0.0/8,10.0.0.1,x.lan" ]

  [dns.blocking]
    active = true
    mode = "NX"
[dhcp]
  active = true
[misc]
  dnsmasq_lines = [ "address=/doubleclick.example/0.0.0.0" ]
[webserver.api]
  pwhash = "$BALLOON$secret"
"""
ADGUARD = r"""
http: {address: "0.0.0.0:3000"}
users:
  - {name: admin, password: "$2a$10$secret"}
dns:
  bind_hosts: [127.0.0.1, "::1"]
  port: 5311
  upstream_dns:
    - https://dns10.quad9.net/dns-query
    - tls://unknown.example
    - "[/fritz.box/lan.example/]192.168.178.1"
    - "# a comment"
    - quic://dns.adguard-dns.com
  upstream_mode: parallel
  ratelimit: 20
  allowed_clients: [127.0.0.0/8]
  blocked_hosts: [version.bind, id.server, hostname.bind, "||secret.example^"]
tls: {enabled: true}
filters:
  - {enabled: true, url: "https://adguardteam.github.io/HostlistsRegistry/assets/filter_1.txt", name: AdGuard DNS filter, id: 1}
  - {enabled: false, url: "https://lists.example/phish.txt", name: Phishing, id: 2}
whitelist_filters:
  - {enabled: true, url: "https://lists.example/ok.txt", name: ok, id: 3}
user_rules:
  - "! mine"
  - "||ads.example^"
  - "@@||fine.ads.example^"
  - "||important.example^$important"
  - "||kid.example^$client='Anna Tablet'"
  - "||typed.example^$dnstype=A"
  - "/^track[0-9]+\\./"
  - "0.0.0.0 hosts.example"
  - "192.168.1.9 cam.lan"
  - "||part*.example^"
  - "example.org##.banner"
dhcp: {enabled: false}
filtering:
  blocking_mode: nxdomain
  parental_enabled: false
  safebrowsing_enabled: true
  safe_search: {enabled: true, youtube: true}
  blocked_services:
    schedule:
      time_zone: Asia/Seoul
      sat: {start: 9h, end: 18h30m0s}
      sun: {start: 0s, end: 24h0m0s}
    ids: [tiktok, twitter, qq]
  rewrites:
    - {domain: router.lan, answer: 192.168.1.1, enabled: true}
    - {domain: "*.wild.lan", answer: 192.168.1.2, enabled: true}
    - {domain: off.lan, answer: 192.168.1.3, enabled: false}
clients:
  persistent:
    - name: Anna Tablet
      ids: ["127.0.0.2", "02:00:00:00:00:07", anna-phone]
      tags: [user_child]
      use_global_settings: false
      use_global_blocked_services: false
      filtering_enabled: true
      safebrowsing_enabled: true
      parental_enabled: true
      safe_search: {enabled: true, youtube: true}
      blocked_services: {schedule: {time_zone: Local}, ids: [roblox]}
    - name: Office
      ids: [10.1.0.0/16]
      use_global_settings: false
      use_global_blocked_services: false
      filtering_enabled: false
      blocked_services: {ids: []}
schema_version: 29
"""
BLOCKY = r"""
upstreams:
  groups:
    default: [192.0.2.53, "tcp-tls:dns.quad9.net:853", "https://unknown.example/dns-query"]
    laptop*: [192.0.2.99]
customDNS:
  mapping: {printer.lan: "192.168.178.3,fd00::3"}
conditional:
  mapping: {fritz.box: "192.168.178.1,192.168.178.2", .: 192.168.178.1}
blocking:
  denylists:
    ads:
      - https://lists.example/ads.txt
      - |
        # inline
        someads.example
        *.allads.example
        /^banners?[_.-]/
    adult:
      - https://lists.example/porn.txt
      - relative/file.txt
  allowlists:
    ads:
      - |
        fine.example
    onlythese: [https://lists.example/school.txt]
  clientGroupsBlock:
    default: [ads]
    laptop*: [ads, adult]
    192.168.178.1/24: [adult]
    kid: [ads, adult]
    boss: []
  blockType: nxDomain
clientLookup:
  clients: {kid: [127.0.0.2, 192.168.5.9]}
ports: {dns: 5312}
caching: {minTime: 5m}
"""
DNSMASQ = """# a router
domain-needed
bogus-priv
no-resolv
listen-address=127.0.0.1
server=192.0.2.53
server=192.0.2.54#5353
server=/school.example/10.0.0.1
server=/lan/
rev-server=192.168.1.0/24,192.168.1.1
address=/ads.example/tracker.example/0.0.0.0
address=/gone.example/#
address=/cam.example/192.168.1.7
local=/shut.example/
host-record=nas.lan,nas2.lan,192.168.1.5,fd00::5,3600   # two names
dhcp-host=02:00:00:00:00:01,set:kids,192.168.1.20,tablet
dhcp-host=02:00:00:00:00:02,printer,192.168.1.21
dhcp-range=192.168.1.50,192.168.1.150,12h
cname=www.lan,nas.lan
addn-hosts={hosts}
addn-hosts=/nowhere/hosts
conf-dir=/etc/dnsmasq.d
strange-option=7
"""


def gravity(path, tables=None):
    database = sqlite3.connect(path)
    database.executescript(SCHEMA)
    for table, rows in (tables or TABLES).items():
        marks = ", ".join("?" * len(COLUMNS[table].split(",")))
        database.executemany(f'INSERT INTO "{table}" ({COLUMNS[table]}) VALUES ({marks})', rows)
    database.commit()
    database.close()
    with open(path, "rb") as file:
        return file.read()


def teleporter5(extra=None):
    """What version 5 exports: a table each, the domain list by its kinds."""
    names = {key: [name.strip() for name in value.split(",")] for key, value in COLUMNS.items()}

    def rows(table):
        return [dict(zip(names[table], row)) for row in TABLES[table]]
    kinds = ["whitelist.exact", "blacklist.exact", "whitelist.regex", "blacklist.regex"]
    files = {f"{table}.json": json.dumps(rows(table)) for table in TABLES if table != "domainlist"}
    for kind, name in enumerate(kinds):
        files[f"{name}.json"] = json.dumps([row for row in rows("domainlist") if row["type"] == kind])
    files["setupVars.conf"] = ("PIHOLE_DNS_1=192.0.2.53\nPIHOLE_DNS_2=127.0.0.1#5335\n"
                               "WEBPASSWORD=secret\nBLOCKING_ENABLED=true\nREV_SERVER=true\n"
                               "REV_SERVER_CIDR=192.168.1.0/24\nREV_SERVER_TARGET=192.168.1.1\n"
                               "REV_SERVER_DOMAIN=fritz.box\n")
    files["pihole-FTL.conf"] = "BLOCKINGMODE=NXDOMAIN\n"
    files["custom.list"] = "192.168.1.5 nas.lan\n"
    files["dnsmasq.d/01-pihole.conf"] = "server=203.0.113.1\n"
    files["dnsmasq.d/05-pihole-custom-cname.conf"] = "cname=alias.lan,nas.lan\n"
    files["dnsmasq.d/99-mine.conf"] = "address=/doubleclick.example/0.0.0.0\n"
    files.update(extra or {})
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def teleporter6(database, toml=TOML):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("etc/pihole/pihole.toml", toml)
        archive.writestr("etc/hosts", "127.0.0.1 localhost\n")
        archive.writestr("etc/dnsmasq.d/", "")
        archive.writestr("etc/pihole/gravity.db", database)
        archive.writestr("etc/pihole/pihole-FTL.db", b"SQLite format 3\0" + bytes(500))
    return out.getvalue()


class Importing(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Box(upstream=["udp://192.0.2.1:53"], start=False))

    def take(self, program, name, content):
        """(configuration as text, effective configuration, rules, report by (kind, what))."""
        path = self.box.write(name, content)
        folder = os.path.join(self.box.folder, "taken")
        self.box.make_folder(os.path.join(folder, "conf.d"))
        self.box.make_folder(folder)
        self.box.write("taken/conf.d/data.yaml", f"server: {{data_dir: {BUILD}/data}}\n")
        out = os.path.join(folder, "taken.yaml")
        done = self.box.cli("--json", "import", program, path, "--output", out, "--force")
        self.assertIn(done.returncode, (0, 6), done.stdout + done.stderr)
        report = json.loads(done.stdout)
        check = subprocess.run([self.box.program("greengate"), "-c", out, "config", "check"],
                               capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stderr + report["config"])
        show = subprocess.run([self.box.program("greengate"), "-c", out, "--json", "config", "show"],
                              capture_output=True, text=True, check=True)
        with open(out, encoding="utf-8") as file:
            self.assertEqual(file.read(), report["config"])
        self.assertNotIn("secret", report["config"].replace("secret.example", ""))
        items = {(item["kind"], item["what"]): item for item in report["items"]}
        states = [item["state"] for item in report["items"]]
        self.assertEqual([report[key] for key in ("taken", "changed", "left")],
                         [states.count(key) for key in ("taken", "changed", "left")])
        self.assertEqual(done.returncode, 6 if report["left"] else 0)
        return report["config"], json.loads(show.stdout), report["rules"], items

    def groups(self, config):
        return {group["name"]: group for group in config["groups"]}

    def sources(self, config):
        return {source["url"]: source for source in config["lists"]["sources"]}

    def left(self, items, kind, what, why):
        self.assertIn((kind, what), items)
        self.assertEqual(items[kind, what]["state"], "left", items[kind, what])
        self.assertRegex(items[kind, what]["why"], why)

    def refuse(self, program, content, why, name="broken"):
        path = content if isinstance(content, str) and content.startswith("/") else (
            self.box.write(name, content))
        done = self.box.cli("import", program, path, "--output", self.box.folder + "/never.yaml")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stderr, why)
        self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(self.box.folder + "/never.yaml"))


class FromPihole(Importing):
    def see_tables(self, config, rules, items):
        sources, groups = self.sources(config), self.groups(config)
        self.assertEqual(len(sources), 3)
        steven = sources["https://raw.githubusercontent.com/StevenBlack/hosts/master/hosts"]
        self.assertEqual(steven["category"], "ads")
        self.assertEqual(sources["https://lists.example/gambling.txt"]["category"], "gambling")
        plain = sources["http://plain.example/malware.txt"]
        self.assertEqual((plain["category"], plain["insecure"], plain["enabled"]),
                         ("malware", True, False))
        self.assertEqual(list(groups), ["kids", "default", "free-for-all", "everyone"])
        self.assertEqual(groups["kids"]["clients"], ["127.0.0.2", "02:00:00:00:00:01"])
        self.assertEqual(groups["kids"]["block"], ["ads", "gambling"])
        self.assertEqual(groups["default"]["clients"], ["host:laptop"])
        self.assertEqual(groups["free-for-all"], {**groups["free-for-all"], "block": [],
                                                  "clients": ["10.9.0.0/16"]})
        self.assertEqual((groups["everyone"]["clients"], groups["everyone"]["block"]), ([], ["ads"]))
        for kind, what, why in (
                ("list", "https://lists.example/allowed.txt", "exceptions"),
                ("list", "ftp://old.example/x", "URL|https://"),
                ("rule", "off.example", "switched off"),
                ("rule", "bad.*;querytype=A", "Pi-hole's own"),
                ("rule", "(unclosed", "."),
                ("rule", "nobody.example", "no group"),
                ("rule", "com", "public suffix"),
                ("client", ":eth0", "network interfaces")):
            self.left(items, kind, what, why)
        self.assertRegex(rules, r'name: "good.example"\n +action: allow\n +exact: true')
        self.assertIn('note: "it department"', rules)
        self.assertRegex(rules, r'name: "games.example"\n +action: block\n( +exact: false\n)?'
                                r' +group: "kids"')
        self.assertIn('pattern: "^ads?[0-9]+\\\\."', rules)

    def test_version_5_as_a_teleporter_archive(self):
        _, config, rules, items = self.take("pihole", "tele.tar.gz", teleporter5())
        self.see_tables(config, rules, items)
        self.assertEqual(config["upstream"]["servers"], ["udp://192.0.2.53:53", "udp://127.0.0.1:5335"])
        self.assertEqual(config["block"]["mode"], "nxdomain")
        self.assertEqual(config["dns"]["records"], [{"name": "nas.lan", "address": "192.168.1.5"}])
        self.assertEqual(config["dns"]["listen"], ["0.0.0.0:53", "[::]:53"])
        self.assertEqual(len(config["upstream"]["zones"]), 2)
        self.assertIn('"doubleclick.example"', rules)
        self.left(items, "setting", "WEBPASSWORD", "passwords")
        self.left(items, "record", "cname=alias.lan,nas.lan", "alias")

    def test_version_6_as_a_teleporter_archive(self):
        database = gravity(os.path.join(self.box.folder, "gravity.db"))
        text, config, rules, items = self.take("pihole", "tele.zip", teleporter6(database))
        self.see_tables(config, rules, items)
        self.assertEqual(config["upstream"]["servers"], ["udp://192.0.2.53:53", "udp://192.0.2.54:5335"])
        self.assertEqual(config["dns"]["records"], [
            {"name": "nas.lan", "address": "192.168.1.5"}, {"name": "nas", "address": "192.168.1.5"},
            {"name": "printer.lan", "address": "192.168.1.6"}])
        self.assertEqual([zone["domain"] for zone in config["upstream"]["zones"]],
                         ["1.168.192.in-addr.arpa", "fritz.box"])
        self.assertEqual(config["block"]["mode"], "nxdomain")
        self.left(items, "setting", "dhcp.active", "DHCP")
        self.left(items, "record", "alias.lan,nas.lan", "alias")
        self.assertIn("# Not taken over:", text)

    def test_a_database_alone(self):
        database = gravity(os.path.join(self.box.folder, "made.db"))
        _, config, rules, items = self.take("pihole", "gravity.db", database)
        self.see_tables(config, rules, items)
        self.left(items, "settings", "upstream servers, records, zones", "teleporter")

    def test_a_list_that_acts_for_more_groups_now_is_named(self):
        tables = {**TABLES, "adlist": [*TABLES["adlist"],
                                       (6, "https://lists.example/more-ads.txt", 1, None, 0)],
                  "adlist_by_group": [*TABLES["adlist_by_group"], (6, 1)]}
        database = gravity(os.path.join(self.box.folder, "made.db"), tables)
        *_, items = self.take("pihole", "gravity.db", database)
        item = items["list", "https://lists.example/more-ads.txt"]
        self.assertEqual(item["state"], "changed")
        self.assertIn("everyone", item["why"])

    def test_narrower_clients_come_first(self):
        database = gravity(os.path.join(self.box.folder, "made.db"), {
            **TABLES, "client": [(1, "192.168.1.5", None), (2, "10.0.0.0/8", None),
                                 (3, "10.0.0.9", None), (4, "10.1.0.0/16", None), (5, "10.1.2.0/24", None)],
            "client_by_group": [(1, 1), (2, 1), (3, 2), (4, 0), (5, 1)]})
        _, config, _, items = self.take("pihole", "gravity.db", database)
        self.assertEqual([(group["name"], group["clients"]) for group in config["groups"]],
                         [("free-for-all", ["10.0.0.9"]), ("kids", ["192.168.1.5", "10.1.2.0/24"]),
                          ("default", ["10.1.0.0/16"]), ("kids-2", ["10.0.0.0/8"]), ("everyone", [])])
        self.assertEqual(self.groups(config)["kids-2"]["block"], self.groups(config)["kids"]["block"])
        item = items["group", "Kids"]
        self.assertEqual((item["state"], item["as"]), ("changed", "kids-2"))
        self.assertIn("first group", item["why"])

    def test_exceptions_win_as_they_did(self):
        database = gravity(os.path.join(self.box.folder, "made.db"), {
            **TABLES, "domainlist": [
                (1, 2, r"(\.|^)a\.example$", 1, None), (2, 1, "ads.a.example", 1, None),
                (3, 2, r"^cdn[0-9]\.", 1, None), (4, 1, "cdn1.b.example", 1, None),
                (5, 3, r"(\.|^)c\.example$", 1, None), (6, 0, "fine.c.example", 1, None),
                (7, 3, "^x", 1, None), (8, 0, "x.example", 1, None)],
            # Exceptions of the first group alone, of both groups, and of all; blocks of kids.
            "domainlist_by_group": [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1), (4, 1), (5, 1), (6, 0),
                                    (6, 1), (7, 1), (8, 0), (8, 1)],
            "client": [(1, "127.0.0.2", None)], "client_by_group": [(1, 1)]})
        _, _, rules, items = self.take("pihole", "gravity.db", database)
        self.left(items, "rule", "ads.a.example", "exception a.example wins")
        self.left(items, "rule", "cdn1.b.example", "exception .*cdn.* wins")
        self.assertNotIn('"ads.a.example"', rules)
        self.assertNotIn('"cdn1.b.example"', rules)
        self.assertEqual(items["rule", r"^cdn[0-9]\."]["state"], "changed")
        self.assertIn("names go before", items["rule", r"^cdn[0-9]\."]["why"])
        # What blocks for kids alone would go before what is allowed for all.
        for name in ("fine.c.example", "x.example"):
            self.assertRegex(rules, rf'name: "{name}"\n +action: allow\n +exact: true\n +group: "kids"')

    def test_what_is_damaged_or_hostile_is_refused(self):
        database = gravity(os.path.join(self.box.folder, "gravity.db"))
        whole, zipped = teleporter5(), teleporter6(database)
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("etc/pihole/gravity.db", bytes(200 << 20))
        liar = bytearray(zipped)  # a member that claims to be small
        at = liar.rindex(b"etc/pihole/gravity.db") - 46
        struct.pack_into("<I", liar, at + 24, 10)
        other = sqlite3.connect(os.path.join(self.box.folder, "other.db"))
        other.execute("CREATE TABLE adlist (id INTEGER)")
        other.commit()
        other.close()
        endless = os.path.join(self.box.folder, "endless.db")
        gravity(endless)
        changed = sqlite3.connect(endless)
        changed.executescript("DROP TABLE domainlist; CREATE VIEW domainlist AS WITH RECURSIVE "
                              "c(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM c) SELECT id FROM c;")
        changed.close()
        for content, why in (
                (b"", "neither a teleporter"), (b"hello", "neither a teleporter"),
                (whole[:len(whole) // 2], "damaged or truncated"),
                (zipped[:-30], "damaged or truncated"), (bytes(liar), "damaged or truncated"),
                (bomb.getvalue(), "more than is read"),
                (teleporter6(database.replace(b"SQLite format 3", b"SQLite format 4")), "cannot be read"),
                (teleporter6(database[:3000]), "cannot be read"),
                (teleporter6(database, "[dns]\nupstreams = [ \"1.1.1.1\"\n"), "pihole.toml:3?.*array"),
                (teleporter6(database, "[dns]\nupstreams = \"1.1.1.1\n"), "pihole.toml:2.*string"),
                (teleporter5({"adlist.json": "{"}), "adlist.json.*JSON"),
                (self.box.folder + "/other.db", "not Pi-hole's gravity.db"),
                (endless, "not Pi-hole's gravity.db"),
                (self.box.folder + "/missing", "No such file"), (self.box.folder, "no file|neither")):
            with self.subTest(why=why):
                self.refuse("pihole", content, why)

    def test_a_tar_bomb_is_refused(self):
        packed = zlib.compressobj(9, zlib.DEFLATED, 31)
        member = tarfile.TarInfo("adlist.json")
        member.size = 300 << 20
        data = packed.compress(member.tobuf())
        for _ in range(300):
            data += packed.compress(bytes(1 << 20))
        self.refuse("pihole", data + packed.flush(), "more than is read|grows more")


class FromAdguard(Importing):
    def test_all_that_it_has(self):
        _, config, rules, items = self.take("adguard", "AdGuardHome.yaml", ADGUARD)
        groups, sources = self.groups(config), self.sources(config)
        self.assertEqual(config["dns"]["listen"], ["127.0.0.1:5311", "[::1]:5311"])
        self.assertEqual(config["upstream"]["servers"], ["tls://9.9.9.10:853#dns10.quad9.net"])
        self.assertEqual(config["upstream"]["strategy"], "parallel")
        self.assertEqual([zone["domain"] for zone in config["upstream"]["zones"]],
                         ["fritz.box", "lan.example"])
        self.assertEqual(config["dns"]["rate_limit_qps"], 20)
        self.assertEqual(config["dns"]["allow_clients"], ["127.0.0.0/8"])
        self.assertEqual(config["block"]["mode"], "nxdomain")
        self.assertEqual(config["server"]["timezone"], "Asia/Seoul")
        self.assertEqual(config["dns"]["records"], [
            {"name": "router.lan", "address": "192.168.1.1"},
            {"name": "cam.lan", "address": "192.168.1.9"}])
        self.assertEqual(len(sources), 2)
        self.assertEqual(sources["https://lists.example/phish.txt"]["enabled"], False)
        self.assertEqual(list(groups), ["anna-tablet", "office", "everyone"])
        anna = groups["anna-tablet"]
        self.assertEqual(anna["clients"], ["127.0.0.2", "02:00:00:00:00:07", "id:anna-phone"])
        self.assertEqual((anna["services"], anna["safe_search"], anna["youtube"]),
                         (["roblox"], True, "moderate"))
        self.assertEqual(anna["block"], ["adult", "malware", "phishing", "ads"])
        self.assertEqual(groups["office"]["block"], [])
        last = groups["everyone"]
        self.assertEqual(last["services"], [])
        self.assertEqual(last["schedule"][0], {**last["schedule"][0], "services": ["tiktok", "x"],
                                               "days": "mon", "from": "00:00", "to": "24:00"})
        self.assertEqual([(row["days"], row["from"], row["to"]) for row in last["schedule"][5:]],
                         [("sat", "00:00", "09:00"), ("sat", "18:30", "24:00")])
        for kind, what, why in (
                ("upstream", "tls://unknown.example", "tls://ADDRESS"),
                ("upstream", "quic://dns.adguard-dns.com", "QUIC"),
                ("list", "https://lists.example/ok.txt", "exceptions"),
                ("rule", "||typed.example^$dnstype=A", "modifiers"),
                ("rule", "||part*.example^", "wildcards"),
                ("rule", "example.org##.banner", "browser"),
                ("service", "qq", "greengate services"),
                ("record", "*.wild.lan", "all below"),
                ("rewrite", "off.lan", "switched off"),
                ("client", "Anna Tablet", "tags"),
                ("section", "tls", "dns.tls_listen"), ("section", "users", "passwords")):
            self.left(items, kind, what, why)
        self.assertRegex(rules, r'name: "kid.example"\n +action: block\n( +exact: false\n)? +group: '
                                r'"anna-tablet"')
        for name in ("ads.example", "fine.ads.example", "important.example", "hosts.example",
                     "secret.example"):
            self.assertIn(f'name: "{name}"', rules)

    def test_the_layout_of_earlier_versions(self):
        old = ("dns:\n  bind_host: 0.0.0.0\n  port: 53\n  blocking_mode: nxdomain\n"
               "  safesearch_enabled: true\n  blocked_services: [tiktok]\n"
               "  rewrites: [{domain: a.lan, answer: 192.168.1.1}]\n"
               "filters: []\nuser_rules: ['||x.example^']\n"
               "clients:\n- {name: one, ids: [10.0.0.1], use_global_settings: true,"
               " use_global_blocked_services: false, blocked_services: [roblox]}\n")
        _, config, _, items = self.take("adguard", "old.yaml", old)
        groups = self.groups(config)
        self.assertEqual((groups["one"]["services"], groups["one"]["safe_search"]), (["roblox"], True))
        self.assertEqual(groups["everyone"]["services"], ["tiktok"])
        self.assertEqual(config["block"]["mode"], "nxdomain")
        self.assertEqual([item for item in items.values() if item["state"] == "left"], [])

    def test_text_of_the_file_is_no_configuration(self):
        evil = r"x y\nweb:\n  exit_url: https://evil.example/\n#"
        for turn, line_end in enumerate(("\\n", "\\r", "\\N", "\\L", "\\P")):
            with self.subTest(line_end=line_end):
                words = evil.replace("\\n", line_end)
                content = ("dns: {port: 53, upstream_dns: [\"9.9.9.9\", \"tls://" + words + "\"]}\n"
                           "filters:\n- {url: \"https://a.example/" + words + "\", name: \"" + words + "\"}\n"
                           "- {url: \"https://b.example/x\", name: \"" + words + " \\e[2J \"}\n"
                           "user_rules: [\"/(" + words + "/\", \"||" + words + "^\"]\n"
                           "clients: {persistent: [{name: \"" + words + "\", ids: [10.0.0.1, \"" + words + "\"]}]}\n")
                text, config, _, _ = self.take("adguard", f"evil{turn}.yaml", content)
                self.assertNotIn("evil", config["web"]["exit_url"])
                self.assertEqual(list(self.sources(config)), ["https://b.example/x"])
                self.assertEqual(self.groups(config)["x-y-web-exit_url-https-evil.example"]["clients"], ["10.0.0.1"])
                self.assertNotRegex(text, r"(?m)^\s*(web|exit_url):|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
                self.assertNotRegex(text, "(?m)^# +exit_url")
                done = self.box.cli("import", "adguard", os.path.join(self.box.folder, f"evil{turn}.yaml"))
                self.assertNotRegex(done.stdout + done.stderr,
                                    r"(?m)^ *exit_url:|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")

    def test_long_texts_end_with_whole_characters(self):
        name = "가" * 300
        content = (f"dns: {{port: 53}}\nfilters: [{{url: 'https://a.example/x', name: {name}}}]\n"
                   f"user_rules: ['x{name}*']\n")
        text, config, _, _ = self.take("adguard", "long.yaml", content)
        self.assertEqual(len(config["lists"]["sources"]), 1)
        self.assertIn("가가가", text)

    def test_narrower_clients_come_first(self):
        _, config, _, items = self.take("adguard", "order.yaml", (
            "dns: {port: 53}\nfilters: []\nuser_rules: ['||x.example^$client=lan']\nclients:\n  persistent:\n"
            "  - {name: lan, ids: [192.168.1.0/24]}\n"
            "  - {name: kid, ids: [192.168.1.50]}\n"
            "  - {name: both, ids: [10.0.0.0/8, 192.168.1.64/26]}\n"
            "  - {name: mid, ids: [10.1.0.0/16, 'fd00::/64']}\n"))
        self.assertEqual([(group["name"], group["clients"]) for group in config["groups"]],
                         [("kid", ["192.168.1.50"]), ("mid", ["10.1.0.0/16", "fd00::/64"]),
                          ("both", ["10.0.0.0/8", "192.168.1.64/26"]),
                          ("lan", ["192.168.1.0/24"]), ("everyone", [])])
        self.assertEqual(items["group", "lan"]["state"], "taken")
        # A device by its MAC may be in any subnet; rules for the one client are for both of its groups.
        _, config, rules, items = self.take("adguard", "order.yaml", (
            "dns: {port: 53}\nfilters: []\nuser_rules: ['||x.example^$client=lan']\nclients:\n  persistent:\n"
            "  - {name: lan, ids: [192.168.1.0/24, 02:00:00:00:00:01]}\n"
            "  - {name: far, ids: [10.0.0.0/8, 02:00:00:00:00:02]}\n"))
        self.assertEqual([(group["name"], group["clients"]) for group in config["groups"]],
                         [("lan", ["02:00:00:00:00:01"]), ("far", ["10.0.0.0/8", "02:00:00:00:00:02"]),
                          ("lan-2", ["192.168.1.0/24"]), ("everyone", [])])
        self.assertEqual(re.findall(r'group: "(.*)"', rules), ["lan", "lan-2"])

    def test_one_zone_of_time_for_all(self):
        hours = "blocked_services: {ids: [tiktok], schedule: {time_zone: %s, mon: {start: 1h, end: 2h}}}"
        content = ("dns: {port: 53}\nfilters: []\nuser_rules: []\nfiltering: {" + hours % "Asia/Seoul" + "}\n"
                   "clients:\n  persistent:\n")
        for name, zone in (("one", "Asia/Seoul"), ("two", "Europe/Berlin"), ("three", "Local")):
            content += (f"  - {{name: {name}, ids: [{name}-phone], use_global_blocked_services: false, "
                        + hours % zone + "}\n")
        _, config, _, items = self.take("adguard", "zones.yaml", content)
        self.assertEqual(config["server"]["timezone"], "Asia/Seoul")
        self.left(items, "timezone", "two: Europe/Berlin", "Asia/Seoul.*server.timezone")
        self.left(items, "timezone", "three: Local", "Asia/Seoul")
        self.assertNotIn(("timezone", "one: Asia/Seoul"), items)

    def test_exceptions_win_as_they_did(self):
        rules = ["@@||a.example^", "||ads.a.example^", "||keep.a.example^$important", "||a.example^",
                 "||b.example^", "@@||fine.b.example^", "||c.example^$important", "@@||no.c.example^",
                 "@@||c.example^$client=lan", "@@|d.example^", "||x.d.example^", "@@/^cdn/",
                 "|cdn.e.example^", "||e.example^", "||f.a.example^$client=lan", "||b.example^$client=lan",
                 "||g.example^", "@@||g.example^$client=lan"]
        _, _, text, items = self.take("adguard", "rules.yaml", "dns: {port: 53}\nfilters: []\nuser_rules:\n" +
                                      "".join(f"- '{rule}'\n" for rule in rules) +
                                      "clients: {persistent: [{name: lan, ids: [10.0.0.0/8]}]}\n")
        for name, wins in (("ads.a.example", "exception a.example wins"), ("f.a.example", "a.example"),
                           ("no.c.example", "block c.example wins"), ("cdn.e.example", "cdn"),
                           ("a.example", "exception a.example wins")):
            if name != "a.example":
                self.left(items, "rule", name, wins)
            self.assertNotRegex(text, rf'name: "{name}"\n +action: {"allow" if name[:2] == "no" else "block"}')
        for name in ("keep.a.example", "b.example", "c.example", "x.d.example", "e.example", "g.example"):
            self.assertRegex(text, rf'name: "{name}"\n +action: block')
        self.assertRegex(text, r'name: "fine.b.example"\n +action: allow\n( +exact: false\n)?( +group: "")?')
        self.assertRegex(text, r'name: "fine.b.example"\n +action: allow\n( +exact: false\n)? +group: "lan"')
        self.assertEqual(items["rule", "^cdn"]["state"], "changed")

    def test_errors_have_a_place(self):
        for content, why in (("dns: [", r"broken:\d+:\d+: "), ("a: 1\na: 2\n", r"broken:2:1: .*twice|dup"),
                             ("hello: world\n", "no AdGuardHome.yaml"), ("- 1\n", "no AdGuardHome.yaml"),
                             ("dns: &a {}\nfilters: *a\n", r"broken:1:\d+"), ("", "no AdGuardHome.yaml"),
                             ("x" * (5 << 20), "larger|MiB"), (b"\x00\xff\xfe", "broken")):
            with self.subTest(why=why):
                self.refuse("adguard", content, why)


class FromBlocky(Importing):
    def test_all_that_it_has(self):
        text, config, rules, items = self.take("blocky", "config.yml", BLOCKY)
        groups, sources = self.groups(config), self.sources(config)
        self.assertEqual(config["upstream"]["servers"],
                         ["udp://192.0.2.53:53", "tls://9.9.9.9:853#dns.quad9.net"])
        self.assertEqual(config["dns"]["listen"], ["0.0.0.0:5312", "[::]:5312"])
        self.assertEqual(config["block"]["mode"], "nxdomain")
        self.assertEqual(len(config["dns"]["records"]), 2)
        self.assertIn('- domain: "fritz.box"\n      servers: ["udp://192.168.178.1:53", '
                      '"udp://192.168.178.2:53"]', text)
        self.assertEqual({source["category"] for source in sources.values()}, {"ads", "adult"})
        self.assertEqual(list(groups), ["kid", "boss", "192.168.178.1-24", "everyone"])
        self.assertEqual(groups["kid"]["clients"], ["127.0.0.2", "192.168.5.9"])
        self.assertEqual(groups["kid"]["block"], ["ads", "adult"])
        self.assertEqual(groups["192.168.178.1-24"]["clients"], ["192.168.178.0/24"])
        self.assertEqual(groups["boss"]["block"], [])
        self.assertEqual(groups["everyone"]["block"], ["ads"])
        for kind, what, why in (
                ("upstream", "laptop*", "of its own"), ("zone", ".", "without a dot"),
                ("upstream", "https://unknown.example/dns-query", "HTTPS"),
                ("list", "relative/file.txt", "whole path"),
                ("list", "https://lists.example/school.txt", "exceptions"),
                ("group of lists", "onlythese", "exceptions alone"),
                ("client", "laptop*", "wildcards"), ("group", "laptop*", "none of its clients"),
                ("section", "caching", "docs/settings.md"), ("record", "printer.lan", "below it")):
            if (kind, what) != ("record", "printer.lan"):
                self.left(items, kind, what, why)
        for name in ("someads.example", "allads.example", "fine.example"):
            self.assertIn(f'name: "{name}"', rules)
        self.assertRegex(rules, r'name: "allads.example"\n +action: block\n +exact: false')
        # Of the set `ads`: neither boss nor the subnet.
        self.assertEqual(len(re.findall(r'name: "someads.example"', rules)), 2)

    def test_names_of_earlier_versions(self):
        old = ("upstream: {default: [192.0.2.1]}\nblocking:\n  blackLists: {ads: [https://a.example/x]}\n"
               "  whiteLists: {}\n  clientGroupsBlock: {default: [ads]}\n")
        _, config, _, _ = self.take("blocky", "old.yml", old)
        self.assertEqual(list(self.sources(config)), ["https://a.example/x"])
        self.refuse("blocky", "hello: 1\n", "no configuration of blocky")


class FromDnsmasq(Importing):
    def test_all_that_it_has(self):
        hosts = self.box.write("hosts", "0.0.0.0 one.example\n192.168.1.8 real.lan\n")
        _, config, rules, items = self.take("dnsmasq", "dnsmasq.conf", DNSMASQ.replace("{hosts}", hosts))
        groups = self.groups(config)
        self.assertEqual(config["upstream"]["servers"], ["udp://192.0.2.53:53", "udp://192.0.2.54:5353"])
        self.assertEqual([zone["domain"] for zone in config["upstream"]["zones"]],
                         ["school.example", "1.168.192.in-addr.arpa"])
        self.assertEqual(config["dns"]["listen"], ["127.0.0.1:53"])
        names = {(record["name"], record["address"]) for record in config["dns"]["records"]}
        self.assertEqual(names, {("cam.example", "192.168.1.7"), ("nas.lan", "192.168.1.5"),
                                 ("nas.lan", "fd00::5"), ("nas2.lan", "192.168.1.5"),
                                 ("nas2.lan", "fd00::5"), ("tablet", "192.168.1.20"),
                                 ("printer", "192.168.1.21"), ("real.lan", "192.168.1.8")})
        self.assertEqual(list(self.sources(config)), [f"file://{hosts}"])
        self.assertEqual(groups["kids"]["clients"], ["02:00:00:00:00:01"])
        for name in ("ads.example", "tracker.example", "gone.example"):
            self.assertRegex(rules, rf'name: "{name}"\n +action: block')
        for kind, what, why in (
                ("addn-hosts", "/nowhere/hosts", "No such file"), ("zone", "lan", "anyway"),
                ("zone", "shut.example", "upstream.zones"),
                ("record", "cname=www.lan,nas.lan", "alias"),
                ("option", "conf-dir=/etc/dnsmasq.d", "that file"),
                ("option", "strange-option=7", "nothing like it.*dnsmasq.conf:23"),
                ("option", "dhcp-range=192.168.1.50,192.168.1.150,12h", "DHCP")):
            self.left(items, kind, what, why)
        for silent in ("domain-needed", "bogus-priv", "no-resolv"):
            self.assertNotIn(("option", silent), items)

    def test_the_user_of_the_daemon_can_read_what_is_written(self):
        box = self.box
        path = box.write("dnsmasq.conf", "server=192.0.2.1\naddress=/x.example/#\n")
        out = os.path.join(box.folder, "moved.yaml")
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        self.assertEqual(box.cli("import", "dnsmasq", path, "--output", out).returncode, 0)
        for name in ("moved.yaml", "moved.rules"):
            self.assertEqual(os.stat(os.path.join(box.folder, name)).st_mode & 0o777, 0o644, name)
        with open(os.path.join(box.folder, "moved.rules"), encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith("# Taken over from dnsmasq by `greengate import`, for `greengate rules import`.\n"), text)
        self.assertNotIn("daemon", text)

    def test_several_lines_of_addresses(self):
        _, config, _, items = self.take("dnsmasq", "listen.conf", (
            "server=192.0.2.1\nlisten-address=127.0.0.1\nlisten-address=192.168.1.1,::1\n"
            "listen-address=127.0.0.1\nlisten-address=nonsense\n"))
        self.assertEqual(config["dns"]["listen"], ["127.0.0.1:53", "192.168.1.1:53", "[::1]:53"])
        self.left(items, "listen-address", "nonsense", "no address")

    def test_leases_are_no_names(self):
        devices = ("02:00:00:00:00:01,192.168.1.50,printer,infinite", "02:00:00:00:00:02,192.168.1.51,12h",
                   "02:00:00:00:00:03,192.168.1.52,3dprinter,45m", "02:00:00:00:00:04,192.168.1.53,ignore",
                   "02:00:00:00:00:05,192.168.1.54,3600", "02:00:00:00:00:06,id:x,192.168.1.55,first,second,1D",
                   "02:00:00:00:00:07,set:kids,192.168.1.56,infinite", "tag:t,192.168.1.57,net,2w")
        _, config, _, _ = self.take("dnsmasq", "leases.conf", "server=192.0.2.1\n" + "".join(
            f"dhcp-host={device}\n" for device in devices))
        self.assertEqual([(record["name"], record["address"]) for record in config["dns"]["records"]],
                         [("printer", "192.168.1.50"), ("3dprinter", "192.168.1.52"),
                          ("first", "192.168.1.55"), ("net", "192.168.1.57")])

    def test_domains_of_the_network_are_not_blocked(self):
        _, _, rules, items = self.take("dnsmasq", "local.conf", (
            "domain=own.example,192.168.1.0/24\nlocal=/corp.example/\nserver=/168.192.in-addr.arpa/\n"
            "server=/8.e.f.ip6.arpa/home.arpa/x.home.arpa/y.lan/\nserver=/own.example/a.own.example/\n"
            "server=/ads.example/\nlocal=/10.in-addr.arpa/192.0.2.9\n"))
        for name in ("corp.example", "168.192.in-addr.arpa", "8.e.f.ip6.arpa", "home.arpa", "x.home.arpa", "y.lan",
                     "own.example", "a.own.example"):
            self.left(items, "zone", name, "upstream.zones")
        self.assertEqual(re.findall(r'name: "(.*)"', rules), ["ads.example"])

    def test_limits_of_rules_and_of_comments(self):
        lines = "".join(f"address=/d{n}.example/#\n" for n in range(10600))
        text, _, rules, items = self.take("dnsmasq", "many.conf", "server=192.0.2.1\n" + lines)
        self.assertEqual(rules.count("- name:"), 10000)
        self.left(items, "rule", "d10599.example", "10000 rules at most")
        self.assertIn("#   and 100 more, which", text)

    def test_something_else_is_refused(self):
        self.refuse("dnsmasq", "hello world\n", "no configuration of dnsmasq")
        self.refuse("dnsmasq", b"server=1.1.1.1\n\0rest", "no configuration of dnsmasq")


class Commands(ServedTest):
    def test_what_is_taken_over_acts(self):
        box = self.box(lists=[("near", "ads", ["seen.example"])])
        database = gravity(os.path.join(box.folder, "gravity.db"), {
            **TABLES, "adlist": [(1, f"file://{box.folder}/near.list", 1, "ads", 0)],
            "adlist_by_group": [(1, 1)], "domainlist": [
                *TABLES["domainlist"], (20, 2, r"(\.|^)open\.example$", 1, None), (21, 1, "ads.open.example", 1, None),
                (22, 3, r"(\.|^)half\.example$", 1, None), (23, 0, "fine.half.example", 1, None)],
            "domainlist_by_group": [*TABLES["domainlist_by_group"], (20, 0), (20, 1), (20, 2), (21, 0), (21, 1),
                                    (22, 1), (23, 0), (23, 1), (23, 2)],
            "client": [*TABLES["client"], (6, "10.9.0.7", None)],
            "client_by_group": [*TABLES["client_by_group"], (6, 1), (6, 2)]})
        path = box.write("tele.zip", teleporter6(database, "[dns]\nupstreams = []\n"))
        folder = os.path.join(box.folder, "conf.d")
        box.make_folder(folder)
        out = os.path.join(folder, "pihole.yaml")
        done = box.cli("import", "pihole", path, "--output", out)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertRegex(done.stdout, r"taken over: 1 list, \d groups?, .*rules")
        self.assertRegex(done.stdout, "not taken over:\n.*because: ")
        # dns.listen of Pi-hole would take port 53.
        with open(out, encoding="utf-8") as file:
            text = file.read()
        box.write("conf.d/pihole.yaml", text.replace('listen: ["0.0.0.0:53", "[::]:53"]', "records: []"))
        for command in (("config", "check"), ("update",), ("reload",),
                        ("rules", "import", os.path.join(folder, "pihole.rules"))):
            done = box.cli(*command)
            self.assertEqual(done.returncode, 0, f"{command} {done.stdout}{done.stderr}")
        self.assertRegex(done.stdout, r"^\d+ rules added, 0 refused")
        self.assertEqual(box.json("check", "seen.example", "--client", "127.0.0.2")["group"], "kids")
        self.assertTrue(box.json("check", "seen.example", "--client", "127.0.0.2")["blocked"])
        self.assertTrue(box.json("check", "www.games.example", "--client", "127.0.0.2")["blocked"])
        self.assertFalse(box.json("check", "www.games.example", "--client", "127.0.0.9")["blocked"])
        self.assertTrue(box.json("check", "bad.example", "--client", "127.0.0.9")["blocked"])
        self.assertFalse(box.json("check", "bad.example", "--client", "10.9.1.1")["blocked"])
        # The narrower client, and the exception, win as they did.
        self.assertEqual(box.json("check", "a.test", "--client", "10.9.0.7")["group"], "kids-free-for-all")
        self.assertFalse(box.json("check", "ads.open.example", "--client", "127.0.0.2")["blocked"])
        self.assertTrue(box.json("check", "x.half.example", "--client", "127.0.0.2")["blocked"])
        self.assertFalse(box.json("check", "fine.half.example", "--client", "127.0.0.2")["blocked"])
        # Once more: nothing doubles; a rule for a group that is not there is named.
        rules = box.write("more.rules", 'rules:\n  - {name: "a.example", action: block, group: "none"}\n'
                                        '  - {name: "b.example", action: block, expires_at: 5}\n'
                                        '  - {name: "c.example", action: block}\n')
        done = box.cli("rules", "import", rules)
        self.assertEqual(done.returncode, 6)
        self.assertIn("1 rule added, 1 refused, 1 left out", done.stdout)
        self.assertIn("no group is named none", done.stderr)
        self.assertEqual(box.json("rules", "import", box.write("none.rules", "rules: []\n"))["added"], 0)
        done = box.cli("rules", "import", box.write("passwd", "root:x:0:0:root:/root:/bin/bash\nbin:x:2:2::/bin:/bin/sh\n"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, "passwd:1:1: .*'root:x:0:0:root:/root:/bin/bash")

    def test_usage_and_what_is_there_already(self):
        box = self.box(start=False)
        path = box.write("dnsmasq.conf", "server=192.0.2.1\naddress=/x.example/#\n")
        taken = box.write("taken.yaml", "mine\n")
        for words in ((), ("windows", path), ("dnsmasq",), ("dnsmasq", path, path),
                      ("dnsmasq", path, "--rules", "x"), ("dnsmasq", path, "--outptu", "x")):
            self.assertEqual(box.cli("import", *words).returncode, 2, words)
        done = box.cli("import", "dnsmasq", path, "--output", taken)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--force", done.stderr)
        with open(taken, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine\n")
        done = box.cli("import", "dnsmasq", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('servers: ["udp://192.0.2.1:53"]', done.stdout)
        self.assertIn('name: "x.example"', done.stdout)
        self.assertIn("taken over: 1 group, 1 rule, 1 upstream", done.stderr)
        self.assertEqual(box.cli("rules", "import", "/nowhere").returncode, 1)
        self.assertEqual(box.cli("rules", "import", box.write("r", "rules: []\n")).returncode, 0)
        self.assertEqual(box.cli("rules", "import", box.write(
            "r", 'rules: [{name: "a.example", action: block}]\n')).returncode, 3)


class Documentation(unittest.TestCase):
    def test_commands_of_the_page_exist(self):
        with open(os.path.join(ROOT, "docs/moving.md"), encoding="utf-8") as page:
            blocks = re.findall(r"^```\n(.*?)^```", page.read(), re.S | re.M)
        lines = [line.split("#")[0].split() for block in blocks for line in block.split("\n")]
        imports = [line for line in lines if line[:2] == ["greengate", "import"]]
        self.assertEqual({line[2] for line in imports}, {"pihole", "adguard", "blocky", "dnsmasq"})
        with Nsd() as nsd, Box(upstream=[nsd.url], start=False) as box:
            files = {"pihole": teleporter5(), "adguard": ADGUARD, "blocky": BLOCKY, "dnsmasq": DNSMASQ}
            for line in imports:
                path = box.write(os.path.basename(line[3]), files[line[2]])
                words = [os.path.join(box.folder, os.path.basename(word)) if word.startswith("/") else
                         word for word in line[1:]]
                words[2] = path
                self.assertIn(box.cli(*words).returncode, (0, 6), line)


if __name__ == "__main__":
    unittest.main()
