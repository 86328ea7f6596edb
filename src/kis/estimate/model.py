"""A board as asked for, and an estimate as answered. Immutable, no IO.

Lengths inside the engine are tenths of a millimetre (`dmm`); the structs that
leave the engine (`Estimate` and its parts) carry millimetres, whole where whole.
"""

from typing import Literal

import msgspec

from kis.knowledge.model import Accessory, Breaker, BreakerType, Location, Material
from kis.knowledge.rules import MIXED_BRANDS
from kis.units import Size

Form = Literal["ECONOMIC", "STANDARD"]
Mount = Literal["WALL", "SURFACE", "FLUSH", "STAND"]
Role = Literal["main", "branch", "accessory"]
Number = int | float

MIXED = MIXED_BRANDS
MAX_DEVICES = 1_000
MAX_BRANCH_LINES = 100
MAX_ACCESSORY_LINES = 100

ENGINE_VERSION = "1"
"""Raise when the same board and the same rows would give another answer."""


class _Frozen(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base: immutable, camelCase outside, defaults left out."""


# --- the board, as asked for -------------------------------------------------


class DeviceDraft(_Frozen, frozen=True):
    """A breaker line as typed. What is None was not stated."""

    model: str | None = None
    af: int | None = None
    poles: str | None = None
    at: int | None = None
    type: BreakerType | None = None
    brand: str | None = None
    quantity: int = 1
    name: str = ""


class AccessoryDraft(_Frozen, frozen=True):
    """An accessory line as typed."""

    code: str
    quantity: int = 1


class BoardDraft(_Frozen, frozen=True):
    """A request whose fields have the right types; the gates decide the rest."""

    brand: str | None = None
    form: Form | None = None
    location: Location | None = None
    mount: Mount | None = None
    material: Material | None = None
    device_type: BreakerType | None = None
    main: DeviceDraft | None = None
    branches: tuple[DeviceDraft, ...] | None = None
    accessories_enabled: bool | None = None
    accessories: tuple[AccessoryDraft, ...] = ()
    label: str = ""
    customer: str = ""
    note: str = ""


class Installation(_Frozen, frozen=True):
    """Where and how the board is mounted, and what it is made of."""

    location: Location
    mount: Mount
    material: Material


class Device(_Frozen, frozen=True):
    """A breaker line, normalised. Either `model` or `af` identifies the body.

    `type` is left out where the model says it, and so is `brand` on a MIXED board.
    """

    brand: str = ""
    poles: str = ""
    type: BreakerType | None = None
    model: str = ""
    af: int | None = None
    at: int | None = None
    quantity: int = 1
    name: str = ""


class AccessoryLine(_Frozen, frozen=True):
    """An accessory code and how many."""

    code: str
    quantity: int = 1


class AccessoryStatement(_Frozen, frozen=True, omit_defaults=False):
    """Whether there are accessories, and which."""

    enabled: bool
    items: tuple[AccessoryLine, ...]


class Board(_Frozen, frozen=True, omit_defaults=False):
    """The normalised request: complete, in an order of its own, and a valid request itself.

    Two requests that differ only in the order of their lines are equal.
    """

    brand: str
    form: Form
    installation: Installation
    main: Device
    branches: tuple[Device, ...]
    accessories: AccessoryStatement
    label: str = ""
    customer: str = ""
    note: str = ""


# --- what the engine works on ------------------------------------------------


class SelectedDevice(msgspec.Struct, frozen=True):
    """A line with its row. `candidates` are the rows it was chosen from, best first."""

    line: Device
    row: Breaker
    candidates: tuple[Breaker, ...] = ()


class SelectedAccessory(msgspec.Struct, frozen=True):
    """An accessory line with its row."""

    row: Accessory
    quantity: int


class Selection(msgspec.Struct, frozen=True):
    """Every body of the board, looked up."""

    main: SelectedDevice
    branches: tuple[SelectedDevice, ...]
    accessories: tuple[SelectedAccessory, ...]

    def with_branches(self, branches: "tuple[SelectedDevice, ...]") -> "Selection":
        """Return the same main and accessories with other branches."""
        return Selection(self.main, branches, self.accessories)


# --- the answer ----------------------------------------------------------------


class Enclosure(msgspec.Struct, frozen=True, rename="camel"):
    """The chosen enclosure, in mm. `model` is None when made to order."""

    W: Number
    H: Number
    D: Number
    source: Literal["stock", "madeToOrder"]
    model: str | None
    material: Material
    location: Location
    mount: Mount


class Placement(msgspec.Struct, frozen=True):
    """One device on the front view: mm, origin top left of the enclosure.

    `w` runs across and `h` down as placed; `rotated` says that the body lies
    sideways (its own width runs down).
    """

    device: str
    role: Role
    model: str
    x: Number
    y: Number
    w: Number
    h: Number
    rotated: bool


class Busbar(msgspec.Struct, frozen=True):
    """A vertical busbar between two columns: its centre line, in mm."""

    x: Number
    y: Number
    h: Number


class Layout(msgspec.Struct, frozen=True):
    """Where everything is. `utilisation` is device area over front area."""

    placements: tuple[Placement, ...]
    busbars: tuple[Busbar, ...]
    utilisation: Number


class BillItem(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One row of the bill of materials."""

    category: Literal["enclosure", "main", "branch", "accessory", "busbar"]
    name: str
    quantity: int
    unit: str
    model: str = ""
    brand: str = ""
    specification: str = ""


class Rejected(msgspec.Struct, frozen=True, rename="camel"):
    """A smaller stock enclosure and why it does not do."""

    model: str
    W: Number
    H: Number
    D: Number
    reason: str


class Caution(msgspec.Struct, frozen=True, rename="camel"):
    """Something that the estimator should know about the answer."""

    code: str
    message_ko: str
    message_en: str


class Estimate(msgspec.Struct, frozen=True, rename="camel"):
    """What the engine answers: it follows from board and knowledge alone."""

    enclosure: Enclosure
    required: Size
    layout: Layout
    bill_of_materials: tuple[BillItem, ...]
    rejected: tuple[Rejected, ...]
    warnings: tuple[Caution, ...]
