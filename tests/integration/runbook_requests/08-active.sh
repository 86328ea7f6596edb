# 새 버전이 활성화되었는지 확인
curl -H "X-API-Key: ${ADMIN_API_KEY}" \
  http://localhost:3000/v1/knowledge/versions/active
