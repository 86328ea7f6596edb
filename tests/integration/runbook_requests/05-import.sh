# CSV 내용을 JSON으로 변환하여 임포트
curl -X POST http://localhost:3000/v1/knowledge/tables/import \
  -H "X-API-Key: ${ADMIN_API_KEY}" \
  -H "Content-Type: application/json" \
  -d '{
    "format": "csv",
    "content": "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta\nLS,METASOL,METASOL-600,600,4P,350,275,103,{\"series\":\"METASOL\",\"type\":\"MCCB\"}",
    "versionLabel": "v2025-09-24-02"
  }'
