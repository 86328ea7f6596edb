# 새 모델로 테스트 견적 생성
curl -X POST http://localhost:3000/v1/estimate/create \
  -H "X-API-Key: ${ADMIN_API_KEY}" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: test-new-model-$(date +%s)" \
  -d '{
    "brand": "LS",
    "form": "ECONOMIC",
    "installation": {"location": "INDOOR", "mount": "WALL"},
    "device": {"type": "MCCB"},
    "main": {"model": "METASOL-600", "af": 600, "poles": "4P"},
    "branches": [],
    "accessories": {"enabled": false, "items": []}
  }'
