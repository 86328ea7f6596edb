"""Requests that work as they are, for the documentation page."""

from typing import Any

LABEL = "v2025-09-24-02"
BOARD: dict[str, Any] = {
    "brand": "SANGDO",
    "form": "ECONOMIC",
    "installation": {"location": "INDOOR", "mount": "WALL"},
    "device": {"type": "MCCB"},
    "main": {"model": "SBS-54", "af": 50, "poles": "4P"},
    "branches": [
        {"model": "SES-54", "poles": "4P", "quantity": 2},
        {"model": "SIE-32", "poles": "2P", "quantity": 8},
    ],
    "accessories": {"enabled": False, "items": []},
    "label": "LP-1",
}
IMPORT = {
    "format": "csv",
    "content": "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta\n"
    'LS,METASOL,METASOL-600,600,4P,350,275,103,{"series":"METASOL","type":"MCCB"}',
    "versionLabel": LABEL,
}
VALIDATE = {"versionLabel": LABEL, "sampleSize": 10}
ACTIVATE = {"versionLabel": LABEL, "runRegression": True}
REPLAY = {"versionLabel": "v2025-09-24-01", "last": 1000}
PRUNE = {"olderThanDays": 30, "dryRun": True}
ROLLBACK = {
    "targetVersionLabel": "v2025-09-24-01",
    "reason": "Production issue: estimate calculation errors",
}
GOLDEN = {"name": "LP-1", "request": BOARD, "note": "기성 분전반. A board that a maker sells."}
NOTE = {"note": "3월 납품, 현장 실측 뒤 확정. To be confirmed on site.", "revision": 0}
CREATE_KEY = {"scope": "api", "label": "ERP"}
ROTATE_KEY = {"overlapDays": 7}
REVOKE_KEY = {"reason": "유출 의심. It may have leaked."}
