"""What pages are made with."""

from typing import NamedTuple

from kis.api.knowledge import Swap
from kis.api.metrics import Metrics
from kis.estimate.notes import NoteService
from kis.estimate.offers import OfferService
from kis.estimate.proof import EvidenceService
from kis.estimate.service import EstimateService
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.golden import GoldenService
from kis.knowledge.reading import Reader
from kis.knowledge.service import KnowledgeService
from kis.knowledge.staging import Staging
from kis.ops.backup.service import BackupService
from kis.ops.keys.service import KeyService
from kis.ops.overview import OverviewService
from kis.ops.replay_service import ReplayService


class KnowledgeParts(NamedTuple):
    """What the pages about dimensions call; `activate` counts what it activates."""

    versions: KnowledgeService
    staging: Staging
    activate: Swap
    golden: GoldenService
    reader: Reader
    replays: ReplayService


class Parts(NamedTuple):
    """The services that pages call: the same ones, with the same rules, as /v1 does."""

    estimates: EstimateService
    notes: NoteService
    evidence: EvidenceService
    metrics: Metrics
    knowledge: KnowledgeParts
    active: ActiveKnowledge
    keys: KeyService
    backups: BackupService
    overview: OverviewService
    offers: OfferService
