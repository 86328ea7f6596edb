"""What a form for boards can offer: what the active knowledge has, in the request's own words."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import msgspec

from kis.errors import Text
from kis.estimate import words
from kis.estimate.gates import DEFAULT_FORM
from kis.estimate.model import MIXED, Form, Mount, Number
from kis.estimate.request import AccessoryItemRequest, BranchRequest, BreakerRequest
from kis.knowledge.model import Accessory, BreakerType, Location, Material
from kis.knowledge.model_search import Kind
from kis.knowledge.rules import AccessoryRules, RuleSet
from kis.knowledge.snapshot import Snapshot
from kis.units import to_mm

Part = Literal["main", "branch", "accessory"]


class Choice(msgspec.Struct, frozen=True, rename="camel"):
    """A value of a field, and what people call it."""

    value: str
    ko: str
    en: str


class TypeOffered(msgspec.Struct, frozen=True, rename="camel"):
    """A type of breaker that a brand has, and its numbers of poles."""

    value: BreakerType
    poles: tuple[str, ...]


class BrandChoice(Choice, frozen=True):
    """A brand that a board may have; MIXED stands for several, where that is allowed."""

    types: tuple[TypeOffered, ...]


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """Where a board may go, and of how many stock enclosures: of none, it is made to order."""

    location: Location
    mount: Mount
    material: Material
    stock: int


class AccessoryChoice(Choice, frozen=True):
    """An accessory: `value` is its code, `ko` and `en` its kind, sizes in mm where known.

    `isKnown` false: to estimate with it takes an outline that nobody has stated yet.
    """

    kind: str
    W: Number | None
    H: Number | None
    D: Number | None
    is_known: bool


class FieldTaken(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A field of a line of the request, and what it takes."""

    name: str
    type: Literal["string", "integer"]
    required: bool
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    default: str | int | None = None


class Defaults(msgspec.Struct, frozen=True, rename="camel"):
    """What holds where it is not stated."""

    form: Form
    material: Material


class Choices(msgspec.Struct, frozen=True, rename="camel"):
    """What a form offers. `fields` are those that each line of a board takes."""

    knowledge_version: str
    brands: tuple[BrandChoice, ...]
    forms: tuple[Choice, ...]
    locations: tuple[Choice, ...]
    mounts: tuple[Choice, ...]
    materials: tuple[Choice, ...]
    installations: tuple[Place, ...]
    device_types: tuple[Choice, ...]
    poles: tuple[str, ...]
    accessories: tuple[AccessoryChoice, ...]
    fields: dict[Part, tuple[FieldTaken, ...]]
    defaults: Defaults


def choices_of(snapshot: Snapshot, kinds: Iterable[Kind], *, allow_mixed: bool) -> Choices:
    """Return what `snapshot` offers; `kinds` are those of its breakers."""
    rules = snapshot.rules
    kinds = tuple(kinds)
    types = {kind.type for kind in kinds}
    brands = (*rules.brands, MIXED) if allow_mixed else rules.brands
    return Choices(
        knowledge_version=snapshot.label,
        brands=tuple(_brand(brand, kinds) for brand in brands),
        forms=_choices(words.FORMS),
        locations=_choices(words.LOCATIONS),
        mounts=_choices(words.MOUNTS),
        materials=_choices(words.MATERIALS),
        installations=_places(snapshot, rules),
        device_types=tuple(c for c in _choices(words.TYPES) if c.value in types),
        poles=_poles(kinds),
        accessories=tuple(
            _accessory(row, rules.accessories) for row in snapshot.tables.accessories
        ),
        fields=FIELDS,
        defaults=Defaults(DEFAULT_FORM, rules.stock.default_material),
    )


def _choices(named: Mapping[str, Text]) -> tuple[Choice, ...]:
    return tuple(Choice(value, text.ko, text.en) for value, text in named.items())


def _poles(kinds: Iterable[Kind]) -> tuple[str, ...]:
    return tuple(f"{count}P" for count in sorted({count for kind in kinds for count in kind.poles}))


def _brand(brand: str, kinds: tuple[Kind, ...]) -> BrandChoice:
    name = words.brand_name(brand)
    ours = [kind for kind in kinds if brand in (kind.brand, MIXED)]
    types = tuple(
        TypeOffered(each, _poles(kind for kind in ours if kind.type == each))
        for each in get_args(BreakerType)
        if any(kind.type == each for kind in ours)
    )
    return BrandChoice(brand, name.ko, name.en, types)


def _places(snapshot: Snapshot, rules: RuleSet) -> tuple[Place, ...]:
    return tuple(
        Place(
            location, mount, material,
            len(snapshot.stock(location, rules.stock_mount[mount], material)),
        )
        for location in get_args(Location)
        for mount in get_args(Mount)
        for material in get_args(Material)
    )  # fmt: skip


def _accessory(row: Accessory, rules: AccessoryRules) -> AccessoryChoice:
    name = words.kind_of_accessory(row.kind)
    width, height, depth = (
        None if dmm is None else to_mm(dmm)
        for dmm in (row.width_dmm, row.height_dmm, row.depth_dmm)
    )
    return AccessoryChoice(
        row.code, name.ko, name.en, row.kind, width, height, depth, rules.can_place(row)
    )


def _fields(schema: dict[str, Any]) -> tuple[FieldTaken, ...]:
    """Return the fields of a request's model, from its JSON schema."""
    return tuple(
        _field(name, taken, is_required=name in schema.get("required", ()))
        for name, taken in schema["properties"].items()
    )


def _field(name: str, taken: dict[str, Any], *, is_required: bool) -> FieldTaken:
    # What may be null has its schema beside that of null.
    stated = taken.get("anyOf", [taken])[0]
    return FieldTaken(
        name,
        stated["type"],
        is_required,
        tuple(stated.get("enum", ())),
        stated.get("minimum"),
        stated.get("maximum"),
        stated.get("maxLength"),
        taken.get("default") or None,
    )


FIELDS: dict[Part, tuple[FieldTaken, ...]] = {
    "main": _fields(BreakerRequest.model_json_schema()),
    "branch": _fields(BranchRequest.model_json_schema()),
    "accessory": _fields(AccessoryItemRequest.model_json_schema()),
}
