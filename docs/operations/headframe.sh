#!/bin/sh
# /usr/local/bin/headframe: the command line of the pool, with its configuration and secrets. Run it as the pool's user:
# sudo -u headframe headframe payouts
set -eu
folder=${POOL_ETC:-/etc/headframe}
if [ -r "$folder/secrets.env" ]; then
  set -a
  . "$folder/secrets.env"
  set +a
fi
: "${HEADFRAME_CONFIG:=$folder/pool.jsonc}"
export HEADFRAME_CONFIG
exec node "${POOL_HOME:-/opt/headframe}/apps/pool/bin/headframe.js" "$@"
