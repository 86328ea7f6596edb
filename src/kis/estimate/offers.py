"""What the rim calls about what the active knowledge offers: models to choose from, and choices."""

import asyncio

from kis.estimate.choices import Choices, choices_of
from kis.knowledge.active import Active, ActiveKnowledge, give_way
from kis.knowledge.model_search import FoundModels, ModelIndex, ModelQuery


class OfferService:
    """Looks things up in memory. Whoever asks first of a version waits until it is indexed."""

    def __init__(self, knowledge: ActiveKnowledge, *, allow_mixed: bool) -> None:
        """Ask `knowledge`; `allow_mixed` as for estimates."""
        self._knowledge = knowledge
        self._allow_mixed = allow_mixed
        self._turn = asyncio.Lock()

    async def find_models(self, query: ModelQuery) -> tuple[str, FoundModels]:
        """Return the label of the active version, and what it has for `query`."""
        active = self._knowledge.current
        index = await self._index_of(active)
        return active.snapshot.label, index.find(query)

    async def load_choices(self) -> Choices:
        """Return what a form for boards can offer."""
        active = self._knowledge.current
        index = await self._index_of(active)
        return choices_of(active.snapshot, index.kinds, allow_mixed=self._allow_mixed)

    async def _index_of(self, active: Active) -> ModelIndex:
        if active.models is None:
            async with self._turn:
                if active.models is None:
                    rows = active.snapshot.tables.breakers
                    active.models = await asyncio.to_thread(ModelIndex, rows, give_way)
        return active.models
