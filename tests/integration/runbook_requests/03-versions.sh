# 모든 지식 버전 나열
curl -H "X-API-Key: ${ADMIN_API_KEY}" \
  http://localhost:3000/v1/knowledge/versions
