# 스테이징 데이터로 샘플 견적 테스트
curl -X POST http://localhost:3000/v1/knowledge/tables/validate \
  -H "X-API-Key: ${ADMIN_API_KEY}" \
  -H "Content-Type: application/json" \
  -d '{
    "versionLabel": "v2025-09-24-02",
    "sampleSize": 10
  }'
