# 회귀 테스트와 함께 활성화
curl -X POST http://localhost:3000/v1/knowledge/tables/activate \
  -H "X-API-Key: ${ADMIN_API_KEY}" \
  -H "Content-Type: application/json" \
  -d '{
    "versionLabel": "v2025-09-24-02",
    "runRegression": true
  }'
