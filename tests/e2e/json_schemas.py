# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of docs/json: what `conga COMMAND --json` prints, a file per command."""

import json
import pathlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jsonschema

SUFFIX = ".schema.json"


class Schemas:
    """All of them; `EVENT` is the one that others refer to, and no command's."""

    EVENT = "event"

    def __init__(self, source):
        files = sorted((pathlib.Path(source) / "docs/json").glob("*" + SUFFIX))
        self.all = {file.name[: -len(SUFFIX)]: json.loads(file.read_text()) for file in files}
        self.validators = {}
        for name, schema in self.all.items():
            jsonschema.Draft7Validator.check_schema(schema)
            resolver = jsonschema.RefResolver(
                "", schema, {other + SUFFIX: each for other, each in self.all.items()}
            )
            self.validators[name] = jsonschema.Draft7Validator(schema, resolver=resolver)

    def commands(self):
        return set(self.all) - {self.EVENT}

    def faults(self, name, value):
        """What is wrong with `value`, a sentence each."""
        found = []
        for error in self.validators[name].iter_errors(value):
            where = "/".join(map(str, error.absolute_path))
            found.append(f"{name}: at /{where}: {error.message[:300]}")
        return found

    def members(self, name):
        """(path, schema) of every member that the schema names, at any depth."""
        return list(self._members(self.all[name], ""))

    def _members(self, schema, path):
        for key, member in schema.get("properties", {}).items():
            yield f"{path}/{key}", member
            yield from self._members(member, f"{path}/{key}")
        if isinstance(schema.get("items"), dict):
            yield from self._members(schema["items"], path)


def paths_of(value, path=""):
    """The path of every member of a JSON value, without positions in lists."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield f"{path}/{key}"
            yield from paths_of(member, f"{path}/{key}")
    if isinstance(value, list):
        for member in value:
            yield from paths_of(member, path)
