# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables are used by, and set by, whoever sources this
# Sourced by up, down, status and demo: which daemons there are, and how to tell whether one runs.
# Expects $var, the folder of pid files, logs and data.

services=(booking payment seating ticketing notification)
daemons=(sidecar bus "${services[@]}")

pid_file() { echo "$var/run/$1.pid"; }
log_file() { echo "$var/log/$1.log"; }

# Prints the daemon's pid if it runs. A pid file whose number now belongs to another program is stale.
pid_of() {
  local pid
  pid=$(cat "$(pid_file "$1")" 2>/dev/null) || return 1
  [ -n "$pid" ] || return 1
  case "$(readlink "/proc/$pid/exe" 2>/dev/null)" in
    */conga-"$1" | */conga-"$1 (deleted)") echo "$pid" ;;
    *) return 1 ;;
  esac
}

# Waits until "$@" succeeds, at most $1 seconds (the first argument).
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

# The environment that tells `conga` and the daemons where this bus is; written by up.
load_bus() {
  # shellcheck source=/dev/null
  [ ! -f "$var/run/bus.env" ] || . "$var/run/bus.env"
}
