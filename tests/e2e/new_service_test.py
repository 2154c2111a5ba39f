#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/new-service in a copy of the source: what it makes compiles, and passes its own tests.

    new_service_test.py BUILD SOURCE

The new files are compiled as BUILD compiles their neighbours, and linked with BUILD's libraries;
that the copy's meson.build files know them is meson's to say.
"""

import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = pathlib.Path("build"), pathlib.Path(".")
COPIED = ["bus", "cli", "common", "config", "scripts", "services", "tests"]


def run(*command, cwd, ok=True):
    done = subprocess.run(
        [str(each) for each in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    if ok and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class NewServiceTest(unittest.TestCase):
    def setUp(self):
        self.copy = pathlib.Path(tempfile.mkdtemp(prefix="conga-new-service-"))
        self.addCleanup(shutil.rmtree, self.copy)
        for each in COPIED:
            shutil.copytree(
                SOURCE / each, self.copy / each, ignore=shutil.ignore_patterns("__pycache__")
            )
        for each in ["meson.build", "meson_options.txt", "meson.options", "README.md", ".clang-format"]:
            if (SOURCE / each).exists():
                shutil.copy(SOURCE / each, self.copy)

    def new_service(self, *arguments, ok=True):
        return run(self.copy / "scripts/new-service", *arguments, cwd=self.copy, ok=ok)

    def compile(self, path, like):
        """`path` as BUILD compiles `like`; the object file."""
        commands = json.loads((BUILD / "compile_commands.json").read_text())
        known = next(each for each in commands if each["file"].endswith(like))
        words = shlex.split(known["command"])
        words = [word for word in words if not word.endswith("ccache")]
        made = self.copy / (pathlib.Path(path).stem + ".o")
        kept, skip = [], False
        for word in words:
            if skip:
                skip = False
            elif word in ("-MQ", "-MF", "-o", "-c"):
                skip = True
            elif word != "-MD" and not word.startswith(("-I..", "-Iservices", "-Itests")):
                kept.append(word)
        run(*kept, f"-I{self.copy}", "-c", self.copy / path, "-o", made, cwd=BUILD)
        return made

    def link(self, name, objects):
        archives = [each for each in BUILD.rglob("*.a") if "subprojects" not in each.parts]
        libraries = ["-lSQLiteCpp", "-lsqlite3", "-lzmq", "-lyaml-cpp", "-lspdlog", "-lfmt"]
        libraries += ["-lsimdjson", "-luuid", "-lcurl", "-lrapidcheck"]
        libraries += ["-lprometheus-cpp-core", "-lprometheus-cpp-pull", "-lpthread"]
        made = self.copy / name
        run(
            "c++", *objects, "-o", made,
            "-Wl,--start-group", *archives, "-Wl,--end-group", "-Wl,--as-needed", *libraries,
            cwd=BUILD,
        )  # fmt: skip
        return made

    def test_a_new_service_compiles_and_passes_its_tests(self):
        self.new_service("lounge")
        service = self.compile("services/lounge/lounge.cpp", "services/ticketing/ticketing.cpp")
        main = self.compile("services/lounge/main.cpp", "services/ticketing/main.cpp")
        test = self.compile("tests/unit/services/lounge_test.cpp", "services/seating_test.cpp")
        tests = self.link("test-lounge", [service, test])
        self.assertIn("2 | 2 passed", run(tests, cwd=self.copy).stdout.replace("  ", " "))
        daemon = self.link("conga-lounge", [service, main])
        manifest = json.loads(run(daemon, "--manifest", cwd=self.copy).stdout)
        self.assertEqual(manifest["emits"][0]["detail-type"], "LoungeNoted")
        run(daemon, "--config", "config/lounge.yaml", "--check", cwd=self.copy)
        run(BUILD / "cli/conga", "rules", "check", "config/rules.yaml", cwd=self.copy)
        run("meson", "setup", "build", cwd=self.copy)
        ninja = (self.copy / "build/build.ninja").read_text()
        self.assertTrue("build services/conga-lounge:" in ninja)
        self.assertTrue("lounge_test.cpp" in ninja)

    def test_it_makes_nothing_twice_and_refuses_names_that_are_none(self):
        self.new_service("lounge")
        again = self.new_service("lounge", ok=False)
        self.assertEqual((again.returncode, again.stderr), (1, "new-service: services/lounge exists\n"))
        for wrong in [[], ["Lounge"], ["my-lounge"], ["kit"], ["a", "b"]]:
            self.assertEqual(self.new_service(*wrong, ok=False).returncode, 2, wrong)


if __name__ == "__main__":
    SOURCE = pathlib.Path(sys.argv.pop(2)).resolve()
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
