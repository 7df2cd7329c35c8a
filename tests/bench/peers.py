# SPDX-License-Identifier: Apache-2.0
"""Servers to measure beside greengate, unpacked and never installed, with the same names blocked."""
import os
import struct
import subprocess

from harness import PEERS, Program, exchange, free_port, wait_for
import dnswire

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def cdb_hash(key):
    value = 5381
    for octet in key:
        value = ((value << 5) + value ^ octet) & 0xFFFFFFFF
    return value


def write_cdb(path, keys):
    """A constant database (cr.yp.to/cdb) that holds each key with the value "1"."""
    slots = [[] for _ in range(256)]
    with open(path, "wb") as out:
        out.write(b"\0" * 2048)
        at = 2048
        for key in keys:
            out.write(struct.pack("<II", len(key), 1) + key + b"1")
            value = cdb_hash(key)
            slots[value & 255].append((value, at))
            at += 8 + len(key) + 1
        heads = []
        for entries in slots:
            size = len(entries) * 2
            table = [(0, 0)] * size
            for value, where in entries:
                place = (value >> 8) % size
                while table[place][1]:
                    place = (place + 1) % size
                table[place] = (value, where)
            heads.append((at, size))
            out.write(b"".join(struct.pack("<II", *entry) for entry in table))
            at += 8 * size
        out.seek(0)
        out.write(b"".join(struct.pack("<II", *head) for head in heads))


class Peer:
    """A running peer; its program must exist in the unpacked folder."""
    package = program = ""

    def __init__(self, folder, names, upstream_port):
        self.folder, self.names, self.upstream_port = folder, names, upstream_port
        self.port = free_port()

    def __enter__(self):
        self.server = Program(self.command(), os.path.join(self.folder, f"{self.program}.log"))
        wait_for(self.forwards, self.program, 120)
        self.pid = self.server.process.pid
        return self

    def __exit__(self, *_):
        self.server.stop()

    def forwards(self):
        """Does it ask the upstream, which has an address for every name? A server that answers
        some zones by itself would be measured at less work than the others."""
        packet = self.speaks()
        return packet and dnswire.Message(packet).texts("A")

    def speaks(self):
        return exchange(dnswire.query("ready.test"), ("127.0.0.1", self.port), timeout=0.5)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.path(name)

    def starter(self):
        return os.path.join(PEERS, "bin", self.program)

    @classmethod
    def available(cls):
        subprocess.run([os.path.join(ROOT, "packaging/dev/unpack"), PEERS, cls.package], check=False)
        return os.path.exists(os.path.join(PEERS, "bin", cls.program))


class Dnsdist(Peer):
    package = program = "dnsdist"

    def command(self):
        write_cdb(self.path("names.cdb"), (dnswire.pack_name(name) for name in self.names))
        config = self.write("dnsdist.conf", f"""
setLocal("127.0.0.1:{self.port}")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer({{address="127.0.0.1:{self.upstream_port}", healthCheckMode="up"}})
kvs = newCDBKVStore("{self.path('names.cdb')}", 3600)
addAction(KeyValueStoreLookupRule(kvs, KeyValueLookupKeySuffix(2, true)), SpoofAction("192.0.2.66"))
getPool(""):setCache(newPacketCache(200000))
""")
        return [self.starter(), "--supervised", "--disable-syslog", "-C", config]


class Unbound(Peer):
    package = program = "unbound"

    def command(self):
        with open(self.path("zones.conf"), "w", encoding="utf-8") as out:
            out.writelines(f'local-zone: "{name}" always_null\n' for name in self.names)
        config = self.write("unbound.conf", f"""
server:
  interface: 127.0.0.1
  port: {self.port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/unbound.pid"
  use-syslog: no
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "test." nodefault
  include: "{self.path('zones.conf')}"
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{self.upstream_port}
""")
        return [self.starter(), "-d", "-c", config]


class Dnsmasq(Peer):
    package, program = "dnsmasq-base", "dnsmasq"

    def command(self):
        with open(self.path("names.conf"), "w", encoding="utf-8") as out:
            out.writelines(f"address=/{name}/\n" for name in self.names)
        return [self.starter(), "--keep-in-foreground", "--no-hosts", "--no-resolv", "--user=",
                "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={self.port}", "--pid-file=",
                f"--conf-file={self.path('names.conf')}", f"--server=127.0.0.1#{self.upstream_port}"]


class Reloading(Peer):
    """A peer with two generations of names; reload() puts the other in force and waits for it."""
    word = ""

    def __init__(self, folder, generations, upstream_port):
        super().__init__(folder, generations[0], upstream_port)
        self.generations, self.number = generations, 0
        self.name = self.word


class ReloadingDnsdist(Reloading):
    package = program = "dnsdist"
    word = "dnsdist"

    def command(self):
        for number, names in enumerate(self.generations):
            write_cdb(self.path(f"names{number}.cdb"), (dnswire.pack_name(name) for name in names))
        os.link(self.path("names0.cdb"), self.path("names.cdb"))
        # Looks whether the file has changed at most once a second.
        config = self.write("dnsdist.conf", f"""
setLocal("127.0.0.1:{self.port}")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer({{address="127.0.0.1:{self.upstream_port}", healthCheckMode="up"}})
kvs = newCDBKVStore("{self.path('names.cdb')}", 1)
addAction(KeyValueStoreLookupRule(kvs, KeyValueLookupKeySuffix(2, true)), RCodeAction(DNSRCode.NXDOMAIN))
getPool(""):setCache(newPacketCache(200000))
""")
        return [self.starter(), "--supervised", "--disable-syslog", "-C", config]

    def reload(self):
        self.number ^= 1
        fresh = self.path("names.new")
        os.link(self.path(f"names{self.number}.cdb"), fresh)
        os.utime(fresh)
        os.rename(fresh, self.path("names.cdb"))


class Recursor(Reloading):
    package, program, word = "pdns-recursor", "pdns_recursor", "recursor"

    def write_zone(self, number):
        with open(self.path("zone.new"), "w", encoding="ascii") as out:
            out.write("$TTL 60\n@ SOA a. b. %d 3600 600 86400 60\n@ NS a.\n" % (self.number + 1))
            out.writelines(f"{name} CNAME .\n" for name in self.generations[number % 2])
        os.rename(self.path("zone.new"), self.path("zone.rpz"))

    def command(self):
        self.write_zone(0)
        self.write("recursor.lua", f'rpzFile("{self.path("zone.rpz")}", {{policyName="big"}})\n')
        self.write("recursor.conf", f"""
local-address=127.0.0.1
local-port={self.port}
socket-dir={self.folder}
config-dir={self.folder}
lua-config-file={self.path("recursor.lua")}
forward-zones-recurse=.=127.0.0.1:{self.upstream_port}
dnssec=off
threads=1
security-poll-suffix=
hint-file=no
disable-syslog=yes
write-pid=no
""")
        return [self.starter(), f"--config-dir={self.folder}", "--daemon=no"]

    def reload(self):
        self.number += 1
        self.write_zone(self.number)
        subprocess.run([os.path.join(PEERS, "bin", "rec_control"), f"--config-dir={self.folder}",
                        f"--socket-dir={self.folder}", "--timeout=60", "reload-lua-config"], check=True,
                       stdout=subprocess.DEVNULL)


PEERS_KNOWN = {"dnsdist": Dnsdist, "unbound": Unbound}
