"""A provider that answers terraform's plugin protocol 6 from a schema alone.

Planning leaves computed attributes unknown unless the inputs determine them; applying invents them.
"""

import json
import traceback
from collections.abc import Callable
from typing import Any

from tests.support.terraform.offline import emulator, values, wire
from tests.support.terraform.offline.answers import answered, unchanged
from tests.support.terraform.offline.blocks import Block, complete, encode_schema, fill, undocumented_values
from tests.support.terraform.offline.emulator import PubsubEmulator
from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.offline.replacements import attribute_path, replacing, with_unknown_id
from tests.support.terraform.offline.wire import UNKNOWN, Message, dynamic_value, field, pack

RESOURCES, DATA, EPHEMERAL = "resource_schemas", "data_source_schemas", "ephemeral_resource_schemas"
Handler = Callable[[Message], bytes]


class StubProvider:
    """One provider, for one run of terraform. ``schema`` is a document of ``schemas``."""

    def __init__(
        self, schema: dict[str, Any], pubsub: PubsubEmulator | None, existing: ExistingResources | None
    ) -> None:
        ((self.source, self._schemas),) = schema["provider_schemas"].items()
        self._project = values.PROJECT
        self._pubsub = pubsub
        self._existing = existing or ExistingResources()
        # The ids of resources that this plan replaces, by type.
        self._replaced: set[tuple[str, str]] = set()
        self._applied = 0
        self._handlers: dict[str, Handler] = {
            "GetProviderSchema": self._get_schema,
            "ConfigureProvider": self._configure,
            "ValidateResourceConfig": lambda request: self._validate(RESOURCES, request),
            "ValidateDataResourceConfig": lambda request: self._validate(DATA, request),
            "ValidateEphemeralResourceConfig": lambda request: self._validate(EPHEMERAL, request),
            "UpgradeResourceState": self._upgrade,
            "ReadResource": self._read,
            "PlanResourceChange": self._plan,
            "ApplyResourceChange": self._apply,
            "ImportResourceState": self._import,
            "ReadDataSource": self._read_data,
            "OpenEphemeralResource": self._open_ephemeral,
        } | dict.fromkeys(
            ("ValidateProviderConfig", "StopProvider", "CloseEphemeralResource", "GetFunctions"), lambda _: b""
        )

    def handler(self, call: str) -> Handler | None:
        """Return what answers a call of the protocol; None if the call is not needed here."""
        return self._handlers.get(call)

    def answer(self, handler: Handler, request: bytes) -> bytes:
        """Answer a request. A failure is printed, since terraform shows only that the call failed."""
        try:
            return handler(wire.decode(request))
        except Exception:
            traceback.print_exc()
            raise

    def _block(self, kind: str, request: Message) -> tuple[str, Block]:
        name = request[1].decode()
        block: Block = self._schemas[kind][name]["block"]
        return name, block

    def _get_schema(self, _: Message) -> bytes:
        # Terraform keeps the schema for the whole run, and does not ask for it again.
        answer = field(1, encode_schema(self._schemas["provider"])) + wire.message(6, field(2, True))
        for number, kind in ((2, RESOURCES), (3, DATA), (8, EPHEMERAL)):
            for name, schema in self._schemas[kind].items():
                answer += field(number, field(1, name) + wire.message(2, encode_schema(schema)))
        return answer

    def _configure(self, request: Message) -> bytes:
        self._project = (dynamic_value(request, 2) or {}).get("project") or self._project
        return b""

    def _validate(self, kind: str, request: Message) -> bytes:
        _, block = self._block(kind, request)
        return b"".join(field(1, problem) for problem in undocumented_values(block, dynamic_value(request, 2)))

    def _upgrade(self, request: Message) -> bytes:
        kind, block = self._block(RESOURCES, request)

        def make(name: str, spec: dict[str, Any], beside: dict[str, Any]) -> Any:
            return values.planned(kind, name, beside, self._project) or values.invented(name, spec)

        # A refresh of the real provider reads what Google computed.
        return field(1, pack(fill(block, complete(block, json.loads(wire.decode(request[3])[1])), make)))

    def _read(self, request: Message) -> bytes:
        kind, block = self._block(RESOURCES, request)
        if not self._pubsub or kind not in emulator.KINDS:
            return field(1, pack(answered(kind, dynamic_value(request, 2))))
        return field(1, pack(self._pubsub.read(kind, block, dynamic_value(request, 2))))

    def _import(self, request: Message) -> bytes:
        kind, block = self._block(RESOURCES, request)
        imported = complete(block, values.imported(request[2].decode()))
        return wire.message(1, field(1, kind) + field(2, pack(imported)))

    def _plan(self, request: Message) -> bytes:
        kind, block = self._block(RESOURCES, request)
        old, proposed = dynamic_value(request, 2), dynamic_value(request, 3)

        def make(name: str, spec: dict[str, Any], beside: dict[str, Any]) -> Any:
            if old is not None:
                return beside.get(name)
            if name == "project" and spec.get("optional"):
                return self._project
            return values.planned(kind, name, beside, self._project) or UNKNOWN

        if proposed is None:
            return field(1, pack(None)) + field(5, True)
        planned = fill(block, proposed, make)
        if old is None:
            # Terraform plans a resource that is replaced a second time, as if it were new.
            replaces = (kind, planned.get("id")) in self._replaced
            return field(1, pack(with_unknown_id(planned) if replaces else planned)) + field(5, True)
        planned = unchanged(kind, old, planned)
        if changed := replacing(kind, old, planned):
            self._replaced.add((kind, old["id"]))
        return field(1, pack(planned)) + b"".join(map(attribute_path, changed)) + field(5, True)

    def _apply(self, request: Message) -> bytes:
        kind, block = self._block(RESOURCES, request)
        old, new = dynamic_value(request, 2), dynamic_value(request, 3)
        self._applied += 1
        salt = f"{self._applied}-"
        if new is not None:

            def make(name: str, spec: dict[str, Any], beside: dict[str, Any]) -> Any:
                return values.planned(kind, name, beside, self._project) or values.invented(name, spec, salt)

            fill(block, new, make)
        if refused := self._existing.apply(kind, old, new):
            return field(1, request[2]) + field(3, wire.diagnostic("Google Cloud", refused))
        if self._pubsub and kind in emulator.KINDS:
            try:
                self._pubsub.apply(kind, block, old, new)
            except (OSError, RuntimeError) as exc:
                return field(1, request[2]) + field(3, wire.diagnostic("Pub/Sub emulator", str(exc)))
        return field(1, pack(new)) + field(4, True)

    def _read_data(self, request: Message) -> bytes:
        kind, block = self._block(DATA, request)

        def make(name: str, spec: dict[str, Any], beside: dict[str, Any]) -> Any:
            return values.read(kind, name, beside) or values.invented(name, spec)

        return field(1, pack(fill(block, dynamic_value(request, 2), make)))

    def _open_ephemeral(self, request: Message) -> bytes:
        _, block = self._block(EPHEMERAL, request)
        opened = fill(block, dynamic_value(request, 2), lambda name, spec, _: values.invented(name, spec))
        return field(3, pack(opened))
