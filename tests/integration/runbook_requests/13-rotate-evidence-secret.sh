# 1. 새 시크릿 생성 (256-bit)
NEW_SECRET=$(openssl rand -hex 32)

# 2. 환경변수 업데이트
sed -i "s/EVIDENCE_SECRET=.*/EVIDENCE_SECRET=$NEW_SECRET/" /production/kis-backend/.env
