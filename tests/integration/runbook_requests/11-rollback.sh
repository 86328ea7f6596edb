# 롤백 수행
curl -X POST http://localhost:3000/v1/knowledge/tables/rollback \
  -H "X-API-Key: ${ADMIN_API_KEY}" \
  -H "Content-Type: application/json" \
  -d '{
    "targetVersionLabel": "v2025-09-24-01",
    "reason": "Production issue: estimate calculation errors"
  }'
