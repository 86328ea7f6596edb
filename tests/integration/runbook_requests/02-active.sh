curl -H "X-API-Key: ${ADMIN_API_KEY}" \
  http://localhost:3000/v1/knowledge/versions/active
