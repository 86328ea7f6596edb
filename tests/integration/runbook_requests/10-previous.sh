# 이전 활성 버전 확인
curl -H "X-API-Key: ${ADMIN_API_KEY}" \
  http://localhost:3000/v1/knowledge/versions | jq -r '.[] | select(.active == false) | .label' | head -1
