# 기본 상태 확인
curl http://localhost:3000/health
