# SPDX-License-Identifier: GPL-2.0-only
# Debian's programs as they are, each driven by a real client on the host.

NAME server
TIMEOUT 120
PROGRAM server programs/server.cpp
PACK {build}/server
RUN --cpus 2 -p {port}:7000
READY READY
CLIENT {source}/clients/server {port}
EXPECT the server answered everything as it should
EXPECT server ends after

NAME memcached
TIMEOUT 180
NEEDS memcached
PACK {debian}/usr/bin/memcached -- -u root -m 64 -t 4
RUN --cpus 4 -m 512M -p {port}:11211
CLIENT {source}/clients/memcached {port}
STOP TERM
EXPECT memcached answered everything as it should

# Data saved to a volume is there after a restart.
NAME redis
TIMEOUT 180
NEEDS redis-server redis-tools
PACK {debian}/usr/bin/redis-server -- --bind 0.0.0.0 --protected-mode no --dir /data --dbfilename saved.rdb --save ""
RUN --cpus 2 -m 512M -p {port}:6379 --volume {work}:/data
CLIENT {source}/clients/redis {port} fill
STOP TERM
EXPECT redis answered everything as it should
COMMAND head -c 5 {work}/saved.rdb
EXPECT REDIS
RUN --cpus 2 -m 512M -p {port2}:6379 --volume {work}:/data
CLIENT {source}/clients/redis {port2} look
STOP TERM
EXPECT redis answered everything as it should

# A master and two worker processes.
NAME nginx
TIMEOUT 180
NEEDS nginx
PREPARE mkdir -p site logs && echo '<h1>Served from ring 0</h1>' > site/index.html && \
  head -c 1000003 /dev/urandom > site/large.bin && printf '%s\n' 'user root;' 'worker_processes 2;' 'pid /tmp/nginx.pid;' \
  'error_log stderr notice;' 'events { worker_connections 256; }' 'http { access_log off; client_body_temp_path /tmp/body;' \
  ' proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;' \
  ' sendfile on; server { listen 80; root /site; } }' > nginx.conf
PACK {debian}/usr/sbin/nginx --file {build}/site:/site --file {build}/nginx.conf:/nginx.conf --file {build}/logs:/var/log/nginx \
  -- -c /nginx.conf -e stderr -g 'daemon off;'
RUN --cpus 2 -m 512M -p {port}:80
CLIENT {source}/clients/nginx {port} {build}/site
STOP TERM
EXPECT nginx answered everything as it should
EXPECT_RE start worker process

NAME sqlite
TIMEOUT 120
NEEDS sqlite3
PACK {debian}/usr/bin/sqlite3
RUN --volume {work}:/data -- /data/test.db "create table t(a integer primary key, b text); insert into t(b) values ('one'),('two'),('drei'); with recursive n(i) as (select 1 union all select i+1 from n where i<5000) insert into t(b) select 'row '||i from n; select count(*), sum(length(b)) from t;"
EXPECT 5003|
RUN --volume {work}:/data -- /data/test.db "select b from t where a=3; pragma integrity_check; select printf('%.3f', avg(a)) from t; select sqlite_version();"
EXPECT drei
EXPECT ok
EXPECT 2502.000
COMMAND head -c 15 {work}/test.db
EXPECT SQLite format 3

# Go and Rust make system calls in their own ways; nothing of them goes through glibc's wrappers in Go's case.
NAME go
NEEDS fzf
PREPARE seq 100000 > numbers
PACK {debian}/usr/bin/fzf -- --filter 99999
COMMAND {ukl} run {image} --cpus 4 -m 512M --append loglevel=5 < {build}/numbers
EXPECT 99999

NAME rust
NEEDS ripgrep
PREPARE mkdir -p texts && seq 100000 > texts/numbers && echo needle > texts/haystack
PACK {debian}/usr/bin/rg --file {build}/texts:/texts -- --threads 4 --no-heading -n needle /texts
RUN --cpus 4 -m 512M
EXPECT /texts/haystack:1:needle

NAME python
TIMEOUT 240
NEEDS python3.11-minimal libpython3.11-minimal libpython3.11-stdlib
PACK {debian}/usr/bin/python3.11 --file {debian}/usr/lib/python3.11:/usr/lib/python3.11 \
  --file {source}/programs/standard_library.py:/standard_library.py --env PYTHONHOME=/usr -- /standard_library.py
RUN --cpus 4 -m 1G
EXPECT python ran everything as it should
