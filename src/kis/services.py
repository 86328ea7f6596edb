"""What runs in one process: opened from settings, wired here and nowhere else."""

import asyncio
import os
import time
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from kis import clock
from kis.access.rate import Limiter, RateLimiter
from kis.access.shared_rate import SharedRateLimiter
from kis.api.metrics import Metrics
from kis.db.commit_mark import forget_marks
from kis.db.engine import Database, open_database, open_second_writer
from kis.db.migrate import migrate
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.estimate.batches import BatchService
from kis.estimate.notes import NoteService
from kis.estimate.offers import OfferService
from kis.estimate.proof import EvidenceService
from kis.estimate.rerun import resize
from kis.estimate.service import EstimateService
from kis.estimate.workers import Workers
from kis.knowledge import preparing
from kis.knowledge import store as knowledge_store
from kis.knowledge.activation import ActivationService
from kis.knowledge.active import Active, ActiveKnowledge
from kis.knowledge.content import ContentError
from kis.knowledge.first import load_first_version
from kis.knowledge.fleet import Alone, Fleet, SharedFleet, worker_name
from kis.knowledge.following import Follower
from kis.knowledge.golden import GoldenService
from kis.knowledge.service import KnowledgeService
from kis.knowledge.staging import Staging
from kis.ops.apart import run_apart
from kis.ops.journal.protection import Protection
from kis.ops.keys.opened import Keys, open_keys
from kis.ops.keys.rows import KeyRows
from kis.ops.keys.start import KeySources, begin
from kis.ops.replay import latest_sizes, regress
from kis.ops.replay_service import ReplayService
from kis.ops.retention import forget_expired
from kis.ops.shared_counts import shared_folder
from kis.settings import Settings, SettingsError

UPLOADS = "knowledge-staging"
"""The folder of uploads as they came."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that is running in one process."""

    database: Database
    protection: Protection
    writer: Writer
    knowledge: ActiveKnowledge
    fleet: Fleet
    limiter: Limiter
    estimates: EstimateService
    notes: NoteService
    offers: OfferService
    batches: BatchService
    workers: Workers
    evidence: EvidenceService
    staging: Staging
    activation: ActivationService
    catalogue: KnowledgeService
    golden: GoldenService
    replays: ReplayService
    keys: Keys
    metrics: Metrics

    def start(self) -> None:
        """Begin to accept writes."""
        self.protection.start()
        self.writer.start()
        self.limiter.start()

    async def stop(self) -> None:
        """Commit what was accepted, then close the database."""
        await asyncio.to_thread(self.workers.close)
        await self.fleet.leave()
        await self.limiter.stop()
        await self.writer.stop()
        await asyncio.to_thread(self.protection.stop)
        self.database.close()
        await asyncio.to_thread(self.protection.finish)


def open_services(settings: Settings) -> Services:
    """Open the database, bring it up to date, and wire the services.

    Raises:
        DatabaseUnavailable: the database cannot be used.
        SettingsError: the master key is not the one of the database.

    """
    database = open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    protection = Protection(database, settings, clock.now_ns)
    sources = KeySources.of(settings)
    found, rows = _prepare(database, settings, sources)
    active = ActiveKnowledge(found)
    counted = Metrics(shared_folder())
    writer = Writer(database, tell_batch=counted.batches.observe)
    follower = Follower(database, active)
    words = _words(settings)
    fleet = _fleet(words, database, active, follower)
    keys = open_keys(
        rows, sources, database=words or database, writer=writer, fleet=fleet, now=clock.now,
        random_bytes=os.urandom)  # fmt: skip
    workers = Workers(keys.keyring)
    staging = Staging(
        database=database, writer=writer, folder=settings.home / UPLOADS,
        resize=resize, apart=run_apart, now=clock.now)  # fmt: skip
    return Services(
        database=database,
        protection=protection,
        writer=writer,
        knowledge=active,
        fleet=fleet,
        limiter=_limiter(settings),
        estimates=EstimateService(
            database=database, writer=writer, knowledge=active, follower=follower,
            keyring=keys.keyring, allow_mixed=settings.allow_mixed_brand, now=clock.now,
            new_id=clock.new_id),
        notes=NoteService(database=database, writer=writer, now=clock.now),
        offers=OfferService(active, allow_mixed=settings.allow_mixed_brand),
        batches=BatchService(
            database=database, writer=writer, knowledge=active, follower=follower,
            workers=workers, allow_mixed=settings.allow_mixed_brand, now=clock.now,
            new_id=clock.new_id),
        workers=workers,
        evidence=EvidenceService(database=database, keyring=keys.keyring),
        staging=staging,
        activation=ActivationService(
            database=database, writer=writer, knowledge=active, fleet=fleet,
            latest=latest_sizes, compute=staging.compute, now=clock.now,
            regress=partial(preparing.regress, resize=resize, replay_latest=regress)),
        catalogue=KnowledgeService(
            database=database, writer=writer, staging=staging, now=clock.now),
        golden=GoldenService(
            database=database, writer=writer, knowledge=active, resize=resize, now=clock.now),
        replays=ReplayService(database=database),
        keys=keys,
        metrics=counted,
    )  # fmt: skip


def _prepare(database: Database, settings: Settings, sources: KeySources) -> tuple[Active, KeyRows]:
    """Bring the schema up to date; return the active knowledge, shipped at first, and all keys.

    Raises:
        DatabaseUnavailable: as `migrate`; what is stored is damaged. It is closed then.
        SettingsError: as `begin`. It is closed then too.

    """
    try:
        migrate(database)
        if database.read_now(knowledge_store.load_pointer) is None:
            database.write_now(lambda c: load_first_version(c, clock.now()))
        database.write_now(lambda c: forget_expired(c, clock.now(), settings.idempotency_days))
        if database.commit_mark is not None:
            database.write_now(forget_marks)
        rows = database.write_now(lambda c: begin(c, sources, clock.now(), os.urandom))
        return database.read_now(_load_active), rows
    except (DatabaseUnavailable, SettingsError):
        database.close()
        raise
    except (SQLAlchemyError, ContentError) as error:
        database.close()
        message = (
            f"what it holds cannot be read: {getattr(error, 'orig', error)}."
            " See kis-backend doctor; it may take a backup to restore"
        )
        raise DatabaseUnavailable(message) from error


def _load_active(connection: Connection) -> Active:
    return knowledge_store.load_active(connection, knowledge_store.load_active_version(connection))


def _words(settings: Settings) -> Database | None:
    """Return a connection for what workers tell each other; a SQLite file has but this process."""
    if settings.database_file is not None:
        return None
    return open_second_writer(settings.database_url, slow_query_ms=settings.slow_query_ms)


def _fleet(
    words: Database | None, database: Database, active: ActiveKnowledge, follower: Follower
) -> Fleet:
    """Return the workers, which tell each other by `words`."""
    name = worker_name()
    if words is None:
        return Alone(name)
    return SharedFleet(name, database=database, words=words, knowledge=active, follower=follower)


def _limiter(settings: Settings) -> Limiter:
    """Return what counts requests: in memory, unless other processes count them as well."""
    per_minute = settings.rate_limit_per_minute
    if settings.database_file is not None or not per_minute:
        return RateLimiter(per_minute, time.monotonic)
    database = open_second_writer(settings.database_url, slow_query_ms=settings.slow_query_ms)
    return SharedRateLimiter(per_minute, database)
