#!/bin/sh
# Starts redis-server with redis.conf and lets two users in: `orderly`, the application, with REDIS_PASSWORD; `default`, the
# administrator, with REDIS_ADMIN_PASSWORD, or with REDIS_PASSWORD too where there is none. Further words go to redis-server:
#
#   REDIS_PASSWORD=<password> infra/redis/start.sh --port 6379 --dir <folder>
#
# redis-server is handed SHA-256 digests on its standard input. So every character may occur in a password, and none is
# in a process list, in the environment of the server or in a file.
set -eu

if [ -z "${REDIS_PASSWORD:-}" ]; then
  echo 'REDIS_PASSWORD is not set. Set it to the password of the application.' >&2
  exit 2
fi

digest() { printf '%s' "$1" | sha256sum | cut -c 1-64; }
application=$(digest "$REDIS_PASSWORD") || true
administrator=$(digest "${REDIS_ADMIN_PASSWORD:-$REDIS_PASSWORD}") || true
if [ ${#application} -ne 64 ] || [ ${#administrator} -ne 64 ]; then
  echo 'sha256sum is missing, so no password can be handed over. Install it (coreutils).' >&2
  exit 2
fi
# Without the comments it is short enough for the shell to hand over by itself, with no process left behind.
settings=$(sed -n "s/^user orderly on /&#$application /; /^[a-z]/p" "$(dirname "$0")/redis.conf")
unset REDIS_PASSWORD REDIS_ADMIN_PASSWORD

# What Redis writes is nobody else's to read.
umask 077
exec redis-server - "$@" <<END
$settings
user default on #$administrator ~* &* +@all
END
