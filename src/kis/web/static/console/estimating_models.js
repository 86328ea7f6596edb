// Completion of models from the active knowledge.

export function offerModels() {}
