#!/usr/bin/env bash
# What cron calls every hour: one run at a time, a log that is kept, a message when a run fails.
#
#     MAILTO=you@example.com
#     7 * * * * /path/to/this/project/orchestrate/cron/run-hourly.sh
#
# Cron mails what is written here, and this writes only when something is wrong.
set -uo pipefail
# Logs, and what Meltano keeps of a run, name recipients and hold settings.
umask 077

project=$(cd "$(dirname "$0")/../.." && pwd)
meltano=${MELTANO:-$(command -v meltano || echo "$project/.venv-meltano/bin/meltano")}
schedule=${SCHEDULE:-hubspot-to-amplitude-hourly}
logs=${LOGS:-$project/output/logs}

cd "$project" && mkdir -p "$logs" || exit 1
log=$logs/$schedule-$(date -u +%Y-%m-%d).log

exec 9>"$logs/$schedule.lock"
if ! flock --nonblock 9; then
  # A long first run outlasts the hour; the next one goes on from its bookmarks.
  echo "$(date -u +%FT%TZ) skipped: the run before has not ended" >>"$log"
  exit 0
fi

echo "$(date -u +%FT%TZ) started" >>"$log"
start=$(wc -c <"$log")
# The lock ends with this script, not with a child that it leaves behind.
"$meltano" schedule run "$schedule" >>"$log" 2>&1 9>&-
code=$?
echo "$(date -u +%FT%TZ) ended with exit code $code" >>"$log"

if ((code != 0)); then
  echo "$schedule failed with exit code $code; the end of $log:" >&2
  tail -c "+$((start + 1))" "$log" | tail -n 20 >&2
fi
exit "$code"
