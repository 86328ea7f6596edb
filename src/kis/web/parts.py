"""What pages are made with."""

from typing import NamedTuple

from kis.api.metrics import Metrics
from kis.estimate.proof import EvidenceService
from kis.estimate.service import EstimateService


class Parts(NamedTuple):
    """The services that pages call: the same ones, with the same rules, as /v1 does."""

    estimates: EstimateService
    evidence: EvidenceService
    metrics: Metrics
