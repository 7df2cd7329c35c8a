# SPDX-License-Identifier: Apache-2.0
"""The container's files, without building an image: `make test-container` does that."""
import os
import re
import shutil
import subprocess
import unittest

from harness import BUILD, ROOT, Box

FOLDER = os.path.join(ROOT, "packaging/container")


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


class Container(unittest.TestCase):
    def setUp(self):
        # One instruction a line.
        text = re.sub(r"^#.*\n", "", read("Containerfile"), flags=re.M)
        self.lines = re.sub(r"\\\n\s*", " ", text).strip().split("\n")

    def of(self, word):
        return [line[len(word) + 1:] for line in self.lines if line.startswith(word + " ")]

    def test_two_stages_and_nobody_is_root_at_the_end(self):
        self.assertEqual(self.of("FROM"), ["${BASE} AS build", "${BASE}"])
        self.assertEqual(self.of("ARG"), ["BASE=debian:12-slim"])  # no registry is named
        last = self.lines[len(self.lines) - 1 - self.lines[::-1].index("FROM ${BASE}"):]
        self.assertEqual([line for line in last if line.startswith("USER")], ["USER 853:853"])
        self.assertEqual([line for line in last if line.startswith(("ADD", "COPY"))],
                         ["COPY --from=build /out /"])
        self.assertNotIn("gcc", " ".join(last))

    def test_what_it_copies_is_there(self):
        with open(os.path.join(ROOT, ".containerignore"), encoding="utf-8") as file:
            ignored = file.read().split()
        for line in self.of("COPY"):
            for source in line.split()[:-1]:
                if not source.startswith(("--", "/")):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, source)), source)
                    self.assertNotIn(source.split("/")[0], ignored)

    @unittest.skipUnless(shutil.which("dpkg-query") and shutil.which("readelf"), "not Debian")
    def test_the_image_has_every_library_that_the_programs_need(self):
        installed = set(next(line for line in self.of("RUN") if "libuv1" in line).split())
        places = set()
        for program in ("greengated", "greengate-web", "greengate"):
            path = os.path.join(BUILD, program)
            loaded = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
            direct = set(re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(
                ["readelf", "-d", path], capture_output=True, text=True, check=True).stdout))
            for library, place in re.findall(r"^\s*(\S+) => (\S+)", loaded, re.M):
                if library in direct and not library.startswith(("libc.", "libm.", "libasan", "libubsan")):
                    places.add("*/" + os.path.basename(os.path.realpath(place)))
        self.assertGreater(len(places), 8)
        found = subprocess.run(["dpkg-query", "-S", *places], capture_output=True, text=True, check=False)
        owners = {}
        for line in found.stdout.split("\n"):
            if line:
                owners.setdefault(os.path.basename(line), set()).add(line.split(":")[0])
        for library, packages in owners.items():
            self.assertTrue(packages & installed, f"{library} of {packages}")

    def test_its_configuration_is_right_and_differs_as_it_says(self):
        with Box(start=False) as box:
            box.make_folder(os.path.join(box.folder, "in/conf.d"))
            box.write("in/greengate.yaml", read("greengate.yaml"))
            box.write("in/conf.d/data.yaml", f"server: {{data_dir: {BUILD}/data}}\n")
            done = subprocess.run([box.program("greengate"), "-c", box.folder + "/in/greengate.yaml",
                                   "config", "diff"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("0.0.0.0:53", done.stdout)

    def test_the_health_check_tells_a_daemon_from_none(self):
        command = re.search(r'CMD \["/usr/bin/greengate", (.*?)\]', " ".join(self.of("HEALTHCHECK"))).group(1)
        words = re.findall(r'"(.*?)"', command)
        with Box() as box:
            self.assertEqual(box.cli(*words).returncode, 0)
            box.daemon.stop()
            self.assertEqual(box.cli(*words).returncode, 3)

    def test_the_example_keeps_to_what_the_image_allows(self):
        text = read("compose.yaml")
        for words in ('user: "853:853"', "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true",
                      "state:/var/lib/greengate", "run:/run/greengate"):
            self.assertIn(words, text)
        self.assertNotIn("privileged: true", text)
        self.assertNotIn("cap_add", text)
        for program in re.findall(r'command: \["([^"]+)"', text):
            self.assertIn(os.path.basename(program), ("greengate-web", "sh"))
        volumes = " ".join(self.of("VOLUME"))
        for folder in re.findall(r"^    - (?:state|run):(\S+)", text, re.M):
            self.assertIn(folder, volumes)


if __name__ == "__main__":
    unittest.main()
