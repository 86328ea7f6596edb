# 1. 새 API 키 생성
NEW_API_KEY=$(openssl rand -hex 32)

# 2. 환경변수 업데이트
sed -i "s/API_KEY=.*/API_KEY=$NEW_API_KEY/" /production/kis-backend/.env
