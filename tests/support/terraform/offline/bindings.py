"""Read a provider's schema from a wheel of its CDK Terrain bindings.

The wheel contains generated JavaScript, a folder for each resource. For each attribute it still has the comment
``// NAME - computed: B, optional: B, required: B``, a getter that tells the type, and in ``synthesizeHclAttributes``
whether it is a block and how that is nested. The type declarations have the documentation, with the possible values.
"""

import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NOTE = re.compile(r"^ *// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.M)
_CLASS = re.compile(r"^class (\w+) extends \w+\.(\w+) \{$(.*?)^\}$", re.M | re.S)
_GETTER = re.compile(r"(Fn\.tolist\()?this\.get(\w+?)Attribute\('(\w+)'\)")
_NEW = re.compile(r"new (?:\w+\.)?(\w+)\(this, \"(\w+)\"(?:, (true|false))?\)")
_HCL = re.compile(
    r"^ {8,16}(\w+): \{\n\s+value: (?:.*),\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\",\n"
    r"\s+storageClassType: \"(\w+)\"",
    re.M,
)
_POSSIBLE = re.compile(r"Possible values?(?: are)?: ?\[([^\]]*)\]")
_INTERFACE = re.compile(r"^export interface (\w+)(.*?)^}", re.M | re.S)
_MEMBER = re.compile(r"/\*\*(.*?)\*/\s+readonly \w+(\??):", re.S)
_FILE = re.compile(r"package/lib/([^/]+)/(?:.+/)?\w+\.(js|d\.ts)")
_GETTER_TYPES: dict[str, Any] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "BooleanMap": ["map", "bool"],
    "NumberMap": ["map", "number"],
    "StringMapList": ["list", ["map", "string"]],
}
_STORAGE_TYPES: dict[str, Any] = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringList": ["list", "string"],
    "numberList": ["list", "number"],
    "stringMap": ["map", "string"],
    "booleanMap": ["map", "bool"],
    "numberMap": ["map", "number"],
}
_KINDS = {
    "TerraformResource": "resource_schemas",
    "TerraformDataSource": "data_source_schemas",
    "TerraformEphemeralResource": "ephemeral_resource_schemas",
    "TerraformProvider": "provider",
}
# Facts that the bindings leave out, from the provider's documentation.
_SENSITIVE = {
    ("google_secret_manager_secret_version", "secret_data"),
    ("google_secret_manager_secret_version", "secret_data_wo"),
    ("google_service_account_key", "private_key"),
    ("random_password", "bcrypt_hash"),
    ("random_password", "result"),
}
_WRITE_ONLY = {("google_secret_manager_secret_version", "secret_data_wo")}
# Two nested blocks with colliding class names would nest forever.
_MAX_DEPTH = 15

Schema = dict[str, Any]


@dataclass(frozen=True)
class _Documented:
    """An attribute as the type declarations describe it."""

    is_required: bool
    possible_values: tuple[str, ...]


@dataclass(frozen=True)
class _Nesting:
    """An attribute as ``synthesizeHclAttributes`` describes it."""

    is_block: bool
    mode: str
    storage: str


def extract(wheel: Path) -> Schema:
    """Return a wheel's provider in the form of ``terraform providers schema -json``."""
    schemas: Schema = {kind: {} for kind in _KINDS.values() if kind != "provider"}
    provider = ""
    for script, declarations in _sources(wheel):
        module = _Module(script, declarations)
        for name, (base, _) in module.classes.items():
            if base not in _KINDS:
                continue
            kind, resource = _KINDS[base], module.resource_type(name)
            schema = {"version": 0, "block": module.block(name, (resource,))}
            if kind == "provider":
                schemas["provider"], provider = schema, resource
            else:
                _mark_secrets(resource, schema)
                schemas[kind][resource] = schema
    return {"format_version": "1.0", "provider_schemas": {f"registry.terraform.io/hashicorp/{provider}": schemas}}


def _sources(wheel: Path) -> Iterator[tuple[str, str]]:
    """Yield the script and the type declarations of each resource; those of large ones are in several files."""
    texts: dict[tuple[str, str], str] = {}
    with zipfile.ZipFile(wheel) as archive:
        packed = next(name for name in archive.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(packed))) as inner:
            for member in inner:
                file, found = inner.extractfile(member), _FILE.fullmatch(member.name)
                if file and found:
                    text = file.read().decode().split("//# sourceMappingURL")[0]
                    key = (found[1], found[2])
                    texts[key] = texts.get(key, "") + text
    for (resource, kind), text in texts.items():
        if kind == "js":
            yield text, texts.get((resource, "d.ts"), "")


def _mark_secrets(resource: str, schema: Schema) -> None:
    for name, spec in schema["block"]["attributes"].items():
        if (resource, name) in _SENSITIVE:
            spec["sensitive"] = True
        if (resource, name) in _WRITE_ONLY:
            spec["write_only"] = True


class _Module:
    """The classes of one resource: its own, and one for each nested block."""

    def __init__(self, script: str, declarations: str) -> None:
        self._script = script
        self.classes = {found[1]: (found[2], found[3]) for found in _CLASS.finditer(script)}
        self._interfaces = dict(_interfaces(declarations))

    def resource_type(self, name: str) -> str:
        """Return the type, such as google_pubsub_topic, of a resource's class."""
        found = re.search(rf'(?:static |^{name}\.)tfResourceType = "([\w-]+)"', self._script, re.M)
        assert found, f"{name} has no tfResourceType"
        return found[1]

    def block(self, name: str, path: tuple[str, ...]) -> Schema:
        """Return the block of a class; ``path`` leads to it."""
        block: Schema = {"attributes": {}, "block_types": {}}
        if len(path) > _MAX_DEPTH:
            return block
        base, body = self.classes[name]
        notes, nestings = dict(_notes(body)), self._nestings(name, body)
        documented = self._interfaces.get(name.removesuffix("OutputReference")) or self._interfaces.get(f"{name}Config")
        classes = {found[2]: found for found in _NEW.finditer(body)}
        getters = {found[3]: found for found in _GETTER.finditer(body)}
        for attribute in {**notes, **nestings}:
            if base == "TerraformProvider" and attribute == "alias":
                continue  # a meta argument
            known = (documented or {}).get(attribute, _Documented(is_required=False, possible_values=()))
            # Older wheels lack most notes.
            flags = notes.get(attribute) or {"required" if known.is_required else "optional": True}
            made, nesting = classes.get(attribute), nestings.get(attribute, _Nesting(False, "list", ""))
            if made and made[1] not in _GETTER_TYPES:
                self._add_nested(block, attribute, made, nesting, flags, path)
                continue
            spec = {"type": _simple_type(made, getters.get(attribute), nesting), **flags}
            block["attributes"][attribute] = spec
            if known.possible_values:
                spec["_enum"] = list(known.possible_values)
        return block

    def _add_nested(
        self,
        block: Schema,
        attribute: str,
        made: re.Match[str],
        nesting: _Nesting,
        flags: dict[str, bool],
        path: tuple[str, ...],
    ) -> None:
        is_single = made[1].endswith("OutputReference")
        name = made[1] if is_single else re.sub("(List|Map)$", "", made[1]) + "OutputReference"
        inner = self.block(name, (*path, attribute))
        if not nesting.is_block:
            kind = "set" if made[3] == "true" else "list"
            block["attributes"][attribute] = {"type": [kind, ["object", _object_type(inner)]], **flags}
            return
        nested: Schema = {"nesting_mode": "single" if nesting.mode == "struct" else nesting.mode, "block": inner}
        if is_single and nesting.mode in ("list", "set"):
            nested["max_items"] = 1
        if flags.get("required"):
            nested["min_items"] = 1
        block["block_types"][attribute] = nested

    def _nestings(self, name: str, body: str) -> dict[str, _Nesting]:
        """Return how a class's attributes are nested: by its own method, or by a function of the module."""
        _, found, text = body.partition("synthesizeHclAttributes()")
        if not found:
            plain = name.removesuffix("OutputReference")
            function = rf"^function {plain[0].lower()}{plain[1:]}ToHclTerraform\(.*?^}}$"
            match = re.search(function, self._script, re.M | re.S)
            text = match[0] if match else ""
        return {found[1]: _Nesting(found[2] == "true", found[3], found[4]) for found in _HCL.finditer(text)}


def _notes(body: str) -> Iterator[tuple[str, dict[str, bool]]]:
    for found in _NOTE.finditer(body):
        flags = zip(("computed", "optional", "required"), found.groups()[1:], strict=True)
        yield found[1], {flag: True for flag, value in flags if value == "true"}


def _interfaces(declarations: str) -> Iterator[tuple[str, dict[str, _Documented]]]:
    for interface in _INTERFACE.finditer(declarations):
        documented = {}
        for member in _MEMBER.finditer(interface[2]):
            if attribute := re.search(r"#(\w+) \w+#", member[1]):
                possible = _POSSIBLE.search(re.sub(r"\n\s*\*", " ", member[1]))
                values = tuple(re.findall(r'"([^"]*)"', possible[1])) if possible else ()
                documented[attribute[1]] = _Documented(is_required=not member[2], possible_values=values)
        yield interface[1], documented


def _simple_type(made: re.Match[str] | None, getter: re.Match[str] | None, nesting: _Nesting) -> Any:
    if made:
        found = _GETTER_TYPES[made[1]]
    elif getter:
        found = _GETTER_TYPES[getter[2]]
    else:
        found = _STORAGE_TYPES.get(nesting.storage, "string")
    is_set = getter is not None and getter[1] and found[0] == "list"
    return ["set", found[1]] if is_set else found


def _object_type(block: Schema) -> dict[str, Any]:
    types = {name: spec["type"] for name, spec in block["attributes"].items()}
    for name, nested in block["block_types"].items():
        inner = ["object", _object_type(nested["block"])]
        types[name] = inner if nested["nesting_mode"] == "single" else [nested["nesting_mode"], inner]
    return types
